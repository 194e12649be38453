import type { Account, Answer } from './expectation.ts'
import { duplicate, type Incoming, json, type Reply, text } from './http.ts'
import { unmet } from './match.ts'
import { consentPage, errorPage, PAGE_CSP } from './page.ts'
import { type Found, type Play, type Registry, secret } from './registry.ts'
import type { Client } from './types.ts'

const TRANSACTION_MS = 10 * 60_000
const MAX_TRANSACTIONS = 1000
const CODE_MS = 60_000

/** An authorize request that was found right, waiting for somebody's answer. */
interface Asked {
  readonly provider: string
  readonly client: Client
  readonly redirectUri: string
  readonly state: string | undefined
  readonly scopes: readonly string[]
  readonly challenge: string | null
  readonly query: URLSearchParams
  readonly labels: Readonly<Record<string, string>>
  readonly host: string
  readonly path: string
  readonly expiresAt: number
}

interface Wrong {
  readonly error: 'invalid_request' | 'invalid_scope' | 'unsupported_response_type'
  readonly why: string
}

const invalid = (why: string): Wrong => ({ error: 'invalid_request', why })
const scopeProblem = (why: string): Wrong => ({ error: 'invalid_scope', why })

/** RFC 6749 §3.3: the characters of a scope. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/

export const readScopes = (play: Play, query: URLSearchParams): readonly string[] | Wrong => {
  const { scopes: rules, query: others } = play.expectation.authorize
  for (const name of query.keys()) {
    if (/scope/i.test(name) && !rules?.params.includes(name) && !(others && name in others)) {
      return scopeProblem('scopes are not asked for in this parameter here')
    }
  }
  if (!rules) return []
  const all: string[] = []
  for (const name of rules.params) {
    const value = query.get(name)
    if (!value) continue
    const entries = rules.separators.reduce((list, by) => list.flatMap(v => v.split(by)), [value])
    if (entries.includes('')) return scopeProblem(`${name} has an empty entry`)
    // A comma is a scope character in RFC 6749, but no real provider uses it for anything but separating.
    const comma = !play.generic && entries.some(entry => entry.includes(','))
    if (comma || entries.some(entry => !SCOPE.test(entry))) return scopeProblem(`${name} is malformed`)
    if (rules.known && entries.some(e => !rules.known?.includes(e))) return scopeProblem(`${name} has an unknown scope`)
    all.push(...entries)
  }
  if (rules.required && all.length === 0) return scopeProblem('a scope is required')
  return [...new Set(all)]
}

const readChallenge = (play: Play, query: URLSearchParams): { challenge: string | null } | Wrong => {
  const { pkce } = play.expectation.authorize
  const challenge = query.get('code_challenge')
  const method = query.get('code_challenge_method')
  if (pkce === 'ignored') return { challenge: null }
  if (!challenge && !method) return pkce === 'required' ? invalid('code_challenge is required') : { challenge: null }
  if (pkce === 'refused') return invalid('PKCE is not supported here')
  if (!challenge) return invalid('code_challenge is missing')
  // Without a method it would be `plain` (RFC 7636 §4.3), which RFC 9700 §2.1.1 advises against.
  if (method !== 'S256') return invalid('code_challenge_method must be S256')
  if (!/^[A-Za-z0-9\-_]{43,128}$/.test(challenge)) return invalid('code_challenge is malformed')
  return { challenge }
}

const readRequest = (play: Play, query: URLSearchParams): Pick<Asked, 'scopes' | 'challenge'> | Wrong => {
  const { authorize } = play.expectation
  if (duplicate(query) !== undefined) return invalid('a parameter was sent more than once')
  const type = query.get('response_type')
  if (authorize.responseType !== false && type !== 'code') {
    return type
      ? { error: 'unsupported_response_type', why: 'response_type must be code' }
      : invalid('response_type is missing')
  }
  const wrong = unmet(authorize.query, name => query.get(name) || undefined, 'parameter')
  if (wrong !== undefined) return invalid(wrong)
  const challenge = readChallenge(play, query)
  if ('error' in challenge) return challenge
  const scopes = readScopes(play, query)
  return 'error' in scopes ? scopes : { scopes, ...challenge }
}

/** The redirect URI keeps its own query, byte for byte (RFC 6749 §3.1.2). */
export const back = (redirectUri: string, params: Readonly<Record<string, string | undefined>>): Answer => {
  const added = new URLSearchParams()
  for (const [name, value] of Object.entries(params)) if (value !== undefined) added.append(name, value)
  const glue = !redirectUri.includes('?') ? '?' : /[?&]$/.test(redirectUri) ? '' : '&'
  return { status: 302, body: undefined, headers: { location: `${redirectUri}${glue}${added}` } }
}

export const html = (answer: Answer): Reply => ({ answer, csp: PAGE_CSP })

export class Authorize {
  readonly #registry: Registry
  readonly #transactions = new Map<string, Asked>()

  constructor(registry: Registry) {
    this.#registry = registry
  }

  handle(request: Incoming, found: readonly Found[]): Reply {
    if (request.method === 'POST') return this.#decide(request, found)
    return this.#ask(request, found)
  }

  #ask(request: Incoming, found: readonly Found[]): Reply {
    const { query } = request
    const name = found[0]?.route.play.name ?? ''
    const clientIds = query.getAll('client_id')
    const redirectUris = query.getAll('redirect_uri')
    // RFC 6749 §4.1.2.1: never redirect to where nobody registered.
    if (clientIds.length !== 1) return html(errorPage(name, 'client_id must be sent exactly once.'))
    const clientId = clientIds[0] ?? ''
    const known = found.filter(f => f.route.play.clients.has(clientId))
    if (known.length === 0) return html(errorPage(name, `No client is registered with the id “${clientId}”.`))
    if (redirectUris.length !== 1) return html(errorPage(name, 'redirect_uri must be sent exactly once.'))
    const redirectUri = redirectUris[0] ?? ''
    const candidates = known.filter(f => f.route.play.clients.get(clientId)?.redirectUris.includes(redirectUri))
    if (candidates.length === 0) {
      return html(errorPage(name, `The redirect URI “${redirectUri}” is not registered for “${clientId}”.`))
    }
    // One client may be registered with several providers at the same URL (Google's): the first that the request suits.
    const read = candidates.map(f => ({ found: f, result: readRequest(f.route.play, query) }))
    const chosen = read.find(r => !('error' in r.result)) ?? read[0]
    const client = chosen?.found.route.play.clients.get(clientId)
    if (!chosen || !client) throw new Error('an authorize call without a provider')

    const { play } = chosen.found.route
    const state = query.get('state') || undefined
    const { issuer } = play.expectation.authorize
    if ('error' in chosen.result) {
      const { error, why } = chosen.result
      return { answer: back(redirectUri, { error, error_description: why, state, iss: issuer }) }
    }
    const asked: Asked = {
      provider: play.provider,
      client,
      redirectUri,
      state,
      ...chosen.result,
      query,
      labels: chosen.found.labels,
      host: request.host,
      path: request.path,
      expiresAt: this.#registry.now() + TRANSACTION_MS,
    }
    const { deny, autoApprove } = this.#registry.switches(play.provider)
    if (deny) return { answer: this.#denied(play, asked) }
    if (autoApprove !== undefined) {
      const account = autoApprove === true ? play.expectation.accounts[0] : this.#registry.account(play, autoApprove)
      if (!account) return html(errorPage(play.name, 'There is no such account to approve with.'))
      return { answer: this.#approved(play, asked, account) }
    }
    return html(
      consentPage({
        name: play.name,
        app: client.clientId,
        action: `/${request.host}${request.path}`,
        transaction: this.#remember(asked),
        scopes: asked.scopes,
        redirectUri,
        accounts: play.expectation.accounts,
      }),
    )
  }

  /** The one-time id is what makes the form's sender the one who saw the page; no Origin arrives under no-referrer. */
  #decide(request: Incoming, found: readonly Found[]): Reply {
    const { body } = request
    const name = found[0]?.route.play.name ?? ''
    const id = body.kind === 'form' && body.problem === undefined ? text(body, 'transaction') : undefined
    const asked = id === undefined ? undefined : this.#transactions.get(id)
    const play = found.find(f => f.route.play.provider === asked?.provider)?.route.play
    const here = asked?.host === request.host && asked.path === request.path
    if (id === undefined || !asked || !play || !here || asked.expiresAt <= this.#registry.now()) {
      return html(errorPage(name, 'This page was answered already or is too old. Go back and connect again.'))
    }
    const decision = text(body, 'decision')
    const account = this.#registry.account(play, text(body, 'account'))
    if (decision === 'deny') {
      this.#transactions.delete(id)
      return { answer: this.#denied(play, asked) }
    }
    if (decision !== 'approve' || !account) return html(errorPage(name, 'Pick an account, then approve or deny.'))
    this.#transactions.delete(id)
    return { answer: this.#approved(play, asked, account) }
  }

  #remember(asked: Asked): string {
    const id = secret()
    this.#transactions.set(id, asked)
    for (const oldest of this.#transactions.keys()) {
      if (this.#transactions.size <= MAX_TRANSACTIONS) break
      this.#transactions.delete(oldest)
    }
    return id
  }

  #denied(play: Play, asked: Asked): Answer {
    return back(asked.redirectUri, {
      error: 'access_denied',
      state: asked.state,
      iss: play.expectation.authorize.issuer,
    })
  }

  #approved(play: Play, asked: Asked, account: Account): Answer {
    const { authorize, offline, prefix, refresh } = play.expectation
    const { client, scopes, state, host, labels, redirectUri, challenge, query } = asked
    const now = this.#registry.now()
    const code = this.#registry.switches(play.provider).code?.() ?? secret(prefix?.code)
    const wanted = typeof offline === 'function' ? offline(query, scopes) : offline === 'always'
    this.#registry.store.addCode(code, {
      provider: play.provider,
      clientId: client.clientId,
      redirectUri,
      challenge,
      account: account.id,
      scopes,
      scopesIn: (authorize.scopes?.params ?? []).filter(name => query.get(name)),
      labels,
      offline: wanted && refresh !== undefined,
      expiresAt: now + CODE_MS,
      grant: null,
    })
    const context = { host, account, code, state: state ?? '', clientSecret: client.clientSecret, now: new Date(now) }
    return back(redirectUri, { code, state, iss: authorize.issuer, ...authorize.back?.(context) })
  }
}

export const methodNotAllowed = (methods: readonly string[]): Answer =>
  json(
    405,
    { error: 'method_not_allowed', error_description: `Allowed: ${methods.join(', ')}` },
    { allow: methods.join(', ') },
  )
