import { back, html, readScopes } from './authorize.ts'
import type { Account, Answer } from './expectation.ts'
import { type Incoming, type Reply, text } from './http.ts'
import { unmet } from './match.ts'
import { consentPage, errorPage } from './page.ts'
import { type Found, type Play, type Registry, same, secret } from './registry.ts'
import { type Protocol, readHeader, signatureOf } from './signature.ts'
import type { Call, Client } from './types.ts'

/** A provider played by RFC 5849: temporary credentials, somebody's approval, the token; and who signed a call of the API. */

const TEMPORARY_MS = 10 * 60_000
/** What a timestamp may differ by. */
const DRIFT_MS = 5 * 60_000
const MAX_KEPT = 10_000

interface Temporary {
  readonly play: Play
  readonly client: Client
  readonly secret: string
  readonly callback: string
  readonly expiresAt: number
  /** Shown a page, it is answered once. */
  answered?: true
  approved?: { readonly verifier: string; readonly account: Account; readonly scopes: readonly string[] }
}

interface Asked {
  readonly token: string
  readonly scopes: readonly string[]
}

/** §3.2: 400 for what is missing or not supported, 401 for what is wrong. */
interface Wrong {
  readonly outcome: Extract<Call['outcome'], 'invalid_request' | 'invalid_client' | 'invalid_code'>
  readonly why: string
}

interface Signed {
  readonly client: Client
  readonly token: string | undefined
  readonly protocol: Protocol
}

const wrong = (outcome: Wrong['outcome'], why: string): Wrong => ({ outcome, why })

const form = (values: Readonly<Record<string, string>>): Answer => ({
  status: 200,
  body: new URLSearchParams(values).toString(),
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
})

/** The oldest go first. */
const bound = (kept: Map<string, unknown> | Set<string>): void => {
  for (const key of kept.keys()) {
    if (kept.size <= MAX_KEPT) break
    kept.delete(key)
  }
}

export class OAuth1 {
  readonly #registry: Registry
  readonly #temporary = new Map<string, Temporary>()
  readonly #asked = new Map<string, Asked>()
  readonly #nonces = new Set<string>()

  constructor(registry: Registry) {
    this.#registry = registry
  }

  handle(request: Incoming, found: readonly Found[]): Reply {
    const [first] = found
    if (!first) throw new Error('a call without a provider')
    const { kind } = first.route
    if (kind === 'authorize')
      return request.method === 'POST' ? this.#decide(request, first) : this.#ask(request, first)
    const { play } = first.route
    const base = { provider: play.provider, url: first.route.template.url } as const
    const call = { ...base, kind: kind === 'temporary' ? 'temporary' : 'code' } as const
    const { delayMs } = this.#registry.switches(play.provider)
    const delay = delayMs === undefined ? {} : { delayMs }
    const fail = this.#registry.take(play.provider, 'fail')
    if (fail) {
      const { status, body, headers } = fail
      const answer: Answer = { status, body: body ?? 'out of order', ...(headers ? { headers } : {}) }
      return { answer, call: { ...call, outcome: 'failed' }, ...delay }
    }
    const done = kind === 'temporary' ? this.#begin(request, play) : this.#exchange(request, play)
    const lost = kind === 'token' && this.#registry.take(play.provider, 'loseReply') ? { lose: true } : {}
    if ('why' in done) {
      const standard: Answer = { status: done.outcome === 'invalid_request' ? 400 : 401, body: done.why }
      const answer = play.expectation.errors?.[done.outcome] ?? standard
      return { answer, call: { ...call, outcome: done.outcome }, ...delay, ...lost }
    }
    const { answer, ...whose } = done
    return { answer, call: { ...call, ...whose, outcome: 'ok' }, ...delay, ...lost }
  }

  /** The living token that a call of the API is rightly signed with. */
  tokenOf(request: Incoming, play: Play): string | undefined {
    const who = this.#check(request, play, token => {
      const access = this.#registry.store.access(token)
      const grant = access && this.#registry.store.grant(access.grant)
      return grant?.provider === play.provider ? { clientId: grant.clientId, secret: access?.secret ?? '' } : undefined
    })
    return 'why' in who ? undefined : who.token
  }

  /** §3.2. `secretOf`: the secret that goes with a token, and whose client's it is. */
  #check(
    request: Incoming,
    play: Play,
    secretOf: ((token: string) => { readonly clientId: string; readonly secret: string } | undefined) | undefined,
  ): Signed | Wrong {
    const protocol = readHeader(request.headers['authorization'])
    if (protocol === undefined) return wrong('invalid_request', 'the Authorization header is not of OAuth')
    if (typeof protocol === 'string') return wrong('invalid_request', protocol)
    const method = protocol.get('oauth_signature_method') ?? ''
    const names = ['oauth_consumer_key', 'oauth_signature', 'oauth_timestamp', 'oauth_nonce']
    const missing = names.find(name => !protocol.get(name))
    if (missing !== undefined) return wrong('invalid_request', `${missing} is missing`)
    if (!play.expectation.oauth1?.signatures.includes(method))
      return wrong('invalid_request', 'this signature method is not supported')
    if ((protocol.get('oauth_version') ?? '1.0') !== '1.0') return wrong('invalid_request', 'unknown version')
    const token = protocol.get('oauth_token')
    const client = play.clients.get(protocol.get('oauth_consumer_key') ?? '')
    if (!client) return wrong('invalid_client', 'unknown consumer key')
    const holder = token === undefined ? undefined : secretOf?.(token)
    if (secretOf && holder?.clientId !== client.clientId) return wrong('invalid_code', 'invalid token')
    const right = signatureOf(method, request, protocol, client.clientSecret, holder?.secret ?? '')
    if (right === undefined || !same(right, protocol.get('oauth_signature') ?? ''))
      return wrong('invalid_client', 'invalid signature')
    // §3.3. Looked at last, so that nobody else can use up a nonce.
    const at = protocol.get('oauth_timestamp') ?? ''
    if (!/^[1-9]\d{0,11}$/.test(at) || Math.abs(Number(at) * 1000 - this.#registry.now()) > DRIFT_MS)
      return wrong('invalid_client', 'the timestamp is too far from now')
    const nonce = JSON.stringify([client.clientId, token, at, protocol.get('oauth_nonce')])
    if (this.#nonces.has(nonce)) return wrong('invalid_client', 'the nonce was used before')
    this.#nonces.add(nonce)
    bound(this.#nonces)
    return { client, token, protocol }
  }

  /** §2.1. */
  #begin(request: Incoming, play: Play): Wrong | { answer: Answer; clientId: string } {
    const who = this.#check(request, play, undefined)
    if ('why' in who) return who
    const callback = who.protocol.get('oauth_callback')
    if (callback === undefined) return wrong('invalid_request', 'oauth_callback is missing')
    // Its query is the client's own affair: it comes back as it is.
    if (!who.client.redirectUris.includes(callback.replace(/\?.*$/s, '')))
      return wrong('invalid_client', 'the callback is not registered')
    const [token, tokenSecret] = [secret(), secret()]
    const expiresAt = this.#registry.now() + TEMPORARY_MS
    this.#temporary.set(token, { play, client: who.client, secret: tokenSecret, callback, expiresAt })
    bound(this.#temporary)
    const answer = form({ oauth_token: token, oauth_token_secret: tokenSecret, oauth_callback_confirmed: 'true' })
    return { answer, clientId: who.client.clientId }
  }

  #alive(token: string | undefined): Temporary | undefined {
    const found = token === undefined ? undefined : this.#temporary.get(token)
    return found && found.expiresAt > this.#registry.now() ? found : undefined
  }

  /** §2.2. */
  #ask(request: Incoming, found: Found): Reply {
    const { play } = found.route
    const token = request.query.getAll('oauth_token').length === 1 ? request.query.get('oauth_token') : undefined
    const temporary = this.#alive(token ?? undefined)
    if (typeof token !== 'string' || temporary?.play !== play || temporary.answered)
      return html(
        errorPage(play.name, 'The token of this link is unknown, used or too old. Go back and connect again.'),
      )
    const unfit = unmet(play.expectation.authorize.query, name => request.query.get(name) || undefined, 'parameter')
    const scopes = readScopes(play, request.query)
    if (unfit !== undefined || 'why' in scopes)
      return html(errorPage(play.name, `The link is not right: ${unfit ?? ('why' in scopes ? scopes.why : '')}.`))
    const asked: Asked = { token, scopes }
    const { deny, autoApprove } = this.#registry.switches(play.provider)
    if (deny) return { answer: this.#answered(temporary, asked, undefined) }
    if (autoApprove !== undefined) {
      const account = autoApprove === true ? play.expectation.accounts[0] : this.#registry.account(play, autoApprove)
      if (!account) return html(errorPage(play.name, 'There is no such account to approve with.'))
      return { answer: this.#answered(temporary, asked, account) }
    }
    const transaction = secret()
    this.#asked.set(transaction, asked)
    bound(this.#asked)
    return html(
      consentPage({
        name: play.name,
        app: temporary.client.clientId,
        action: `/${request.host}${request.path}`,
        transaction,
        scopes,
        redirectUri: temporary.callback,
        accounts: play.expectation.accounts,
      }),
    )
  }

  #decide(request: Incoming, found: Found): Reply {
    const { play } = found.route
    const id = request.body.problem === undefined ? text(request.body, 'transaction') : undefined
    const asked = id === undefined ? undefined : this.#asked.get(id)
    const temporary = this.#alive(asked?.token)
    if (id === undefined || !asked || temporary?.play !== play || temporary.answered)
      return html(errorPage(play.name, 'This page was answered already or is too old. Go back and connect again.'))
    const decision = text(request.body, 'decision')
    const account = this.#registry.account(play, text(request.body, 'account'))
    if (decision !== 'deny' && (decision !== 'approve' || !account))
      return html(errorPage(play.name, 'Pick an account, then approve or deny.'))
    this.#asked.delete(id)
    return { answer: this.#answered(temporary, asked, decision === 'deny' ? undefined : account) }
  }

  #answered(temporary: Temporary, { token, scopes }: Asked, account: Account | undefined): Answer {
    const { play, callback } = temporary
    temporary.answered = true
    if (!account) {
      this.#temporary.delete(token)
      return back(callback, play.expectation.oauth1?.declined(token) ?? {})
    }
    const verifier = this.#registry.switches(play.provider).code?.() ?? secret()
    temporary.approved = { verifier, account, scopes }
    return back(callback, { oauth_token: token, oauth_verifier: verifier })
  }

  /** §2.3. */
  #exchange(
    request: Incoming,
    play: Play,
  ): Wrong | { answer: Answer; clientId: string; grant: string; account: string } {
    const who = this.#check(request, play, token => {
      const temporary = this.#alive(token)
      return temporary?.play === play ? { clientId: temporary.client.clientId, secret: temporary.secret } : undefined
    })
    if ('why' in who) return who
    const temporary = this.#alive(who.token)
    const { approved } = temporary ?? {}
    if (!temporary || !approved) return wrong('invalid_code', 'nobody has approved this token')
    if (!same(approved.verifier, who.protocol.get('oauth_verifier') ?? ''))
      return wrong('invalid_code', 'invalid verifier')
    // Once.
    this.#temporary.delete(who.token ?? '')
    const { store } = this.#registry
    const { account, scopes } = approved
    const { clientId } = who.client
    const grant = store.use({
      provider: play.provider,
      clientId,
      redirectUri: temporary.callback,
      challenge: null,
      account: account.id,
      scopes,
      scopesIn: [],
      labels: {},
      offline: false,
      expiresAt: temporary.expiresAt,
      grant: null,
    })
    const switches = this.#registry.switches(play.provider)
    const token = switches.accessToken?.() ?? secret(play.expectation.prefix?.access)
    const tokenSecret = switches.tokenSecret?.() ?? secret()
    store.addAccess(token, { grant: grant.id, scopes, expiresAt: null, secret: tokenSecret })
    const more = play.expectation.oauth1?.more?.(account) ?? {}
    const answer = form({ oauth_token: token, oauth_token_secret: tokenSecret, ...more })
    return { answer, clientId, grant: grant.id, account: account.id }
  }
}
