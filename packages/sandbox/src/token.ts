import { createHash } from 'node:crypto'
import { authenticate, claimedId, presented } from './client-auth.ts'
import type { Answer, Issue, TokenCall } from './expectation.ts'
import { anyText, type Incoming, type Reply, text } from './http.ts'
import { sameLabels, unmet, unmetHeader } from './match.ts'
import { type Found, type Play, type Refused, type Registry, refusal, same, secret } from './registry.ts'
import type { Grant } from './store.ts'
import type { Client, Switches } from './types.ts'

type Kind = 'code' | 'refresh'

interface Situation {
  readonly registry: Registry
  readonly request: Incoming
  readonly play: Play
  readonly found: Found
  readonly switches: Switches
  readonly client: Client
}

interface Issued {
  readonly answer: Answer
  readonly grant: Grant
}

const refuse = (why: Refused['refusal'], words: string): Refused => ({ refusal: why, why: words })

const ownerOf = (registry: Registry, request: Incoming): string | undefined => {
  const code = text(request.body, 'code')
  const refresh = text(request.body, 'refresh_token')
  const row = refresh === undefined ? undefined : registry.store.refresh(refresh)
  if (row) return registry.store.grant(row.grant)?.provider
  return code === undefined ? undefined : registry.store.code(code)?.provider
}

/** Several providers may share a token URL (Google's do): the code or token says which is meant, else the client. */
const choose = (registry: Registry, request: Incoming, found: readonly Found[]): Play | undefined => {
  const owner = ownerOf(registry, request)
  const id = claimedId(presented(request))
  const plays = found.map(f => f.route.play)
  return plays.find(p => p.provider === owner) ?? plays.find(p => id !== undefined && p.clients.has(id)) ?? plays[0]
}

/** Which call it is: grant_type says so, and where the documentation has none, the parameter that was sent. */
const kindOf = (request: Incoming, kinds: readonly Kind[]): Kind => {
  const grantType = text(request.body, 'grant_type')
  if (grantType === 'refresh_token' && kinds.includes('refresh')) return 'refresh'
  if (grantType === 'authorization_code' && kinds.includes('code')) return 'code'
  if (kinds.length === 1) return kinds[0] ?? 'code'
  return text(request.body, 'refresh_token') !== undefined && text(request.body, 'code') === undefined
    ? 'refresh'
    : 'code'
}

/** Parameters that RFC 6749 keeps out of the URL (§2.3.1, §3.2: they would end up in logs). */
const NOT_IN_URL = ['client_secret', 'code', 'refresh_token', 'code_verifier', 'grant_type']

const checkForm = (call: TokenCall, kind: Kind, request: Incoming): Refused | undefined => {
  const { body } = request
  if (NOT_IN_URL.some(name => request.query.has(name))) {
    return refuse('invalid_request', 'parameters of the token call go into the body')
  }
  if (body.kind === 'none' || body.kind === 'other' || (call.body !== 'either' && call.body !== body.kind)) {
    const expected = call.body === 'either' ? 'form or JSON' : call.body === 'json' ? 'JSON' : 'form'
    return refuse('invalid_request', `expected a ${expected} body with its content type`)
  }
  if (body.problem !== undefined) return refuse('invalid_request', body.problem)
  const type = text(body, 'grant_type')
  const right = kind === 'code' ? 'authorization_code' : 'refresh_token'
  if (type === undefined && body.values.has('grant_type'))
    return refuse('invalid_request', 'grant_type is not a string')
  if (type !== undefined && type !== right) {
    return refuse('unsupported_grant_type', `this call has the grant type ${right}`)
  }
  if (type === undefined && call.grantType === undefined) return refuse('invalid_request', 'grant_type is missing')
  return undefined
}

const checkRest = (call: TokenCall, request: Incoming): Refused | undefined => {
  const wrong =
    unmetHeader(call.headers, request.headers) ?? unmet(call.params, name => anyText(request.body, name), 'parameter')
  return wrong === undefined ? undefined : refuse('invalid_request', wrong)
}

/** RFC 7636 §4.6; a verifier without a challenge is refused too (RFC 9700 §2.1.1: a downgrade). */
const checkVerifier = (play: Play, challenge: string | null, verifier: string | undefined): Refused | undefined => {
  const { pkce } = play.expectation.authorize
  if (pkce === 'ignored') return undefined
  if (pkce === 'refused') {
    return verifier === undefined ? undefined : refuse('invalid_request', 'code_verifier is not a parameter here')
  }
  if (challenge === null) {
    return verifier === undefined ? undefined : refuse('bad_verifier', 'the code was issued without a challenge')
  }
  if (verifier === undefined) return refuse('bad_verifier', 'code_verifier is missing')
  if (!/^[A-Za-z0-9\-._~]{43,128}$/.test(verifier)) return refuse('bad_verifier', 'code_verifier is malformed')
  const computed = createHash('sha256').update(verifier).digest('base64url')
  return same(computed, challenge) ? undefined : refuse('bad_verifier', 'code_verifier does not match the challenge')
}

interface Wish {
  readonly kind: Kind
  readonly grant: Grant
  readonly scopes: readonly string[]
  /** The refresh token that is good from now on, if there is one. */
  readonly refreshToken: string | undefined
}

const newRefreshToken = (s: Situation, grant: Grant): string => {
  const token = s.switches.refreshToken?.() ?? secret(s.play.expectation.prefix?.refresh)
  s.registry.store.addRefresh(token, grant.id)
  return token
}

const issue = (s: Situation, call: TokenCall, { kind, grant, scopes, refreshToken }: Wish): Issued => {
  const { registry, play, switches } = s
  const account = registry.account(play, grant.account)
  if (!account) throw new Error(`${play.provider} has no account ${grant.account}`)
  const expiresIn = switches.lifetime ?? play.expectation.lifetime
  const now = registry.now()
  const accessToken = switches.accessToken?.() ?? secret(play.expectation.prefix?.access)
  const expiresAt = expiresIn === undefined ? null : now + expiresIn * 1000
  registry.store.addAccess(accessToken, { grant: grant.id, scopes, expiresAt })
  const context: Issue = {
    accessToken,
    ...(refreshToken === undefined ? {} : { refreshToken }),
    scopes,
    scopesIn: grant.scopesIn,
    expiresIn,
    account,
    host: s.request.host,
    clientId: s.client.clientId,
    now: new Date(now),
    kind,
  }
  return { answer: call.answer(context), grant }
}

/** With the `rotates` switch on, an answer that is documented without a refresh token must still carry the new one. */
const withRefreshToken = (answer: Answer, token: string): Answer => {
  const { body } = answer
  if (typeof body !== 'object' || body === null) return answer
  return JSON.stringify(body).includes(token) ? answer : { ...answer, body: { ...body, refresh_token: token } }
}

const exchange = (s: Situation): Issued | Refused => {
  const { registry, request, play, client } = s
  const call = play.expectation.code
  const value = text(request.body, 'code')
  if (value === undefined) return refuse('invalid_request', 'code is missing')
  const redirectUri = text(request.body, 'redirect_uri')
  const redirect = call.redirectUri ?? 'required'
  if (redirect === 'required' && redirectUri === undefined) return refuse('invalid_request', 'redirect_uri is missing')

  const code = registry.store.code(value)
  const invalid = refuse('invalid_code', 'the code is unknown, expired or already used')
  if (!code || code.provider !== play.provider || code.clientId !== client.clientId) return invalid
  if (code.grant !== null) {
    // RFC 6749 §4.1.2: whoever presents it twice, one of them stole it.
    registry.store.revokeGrant(code.grant)
    return invalid
  }
  if (code.expiresAt <= registry.now() || !sameLabels(code.labels, s.found.labels)) return invalid
  if (redirect !== 'ignored' && redirectUri !== undefined && redirectUri !== code.redirectUri) {
    return refuse('redirect_mismatch', "redirect_uri differs from the authorize request's")
  }
  const wrong = checkVerifier(play, code.challenge, text(request.body, 'code_verifier'))
  if (wrong) return wrong
  const grant = registry.store.use(code)
  const refreshToken = code.offline ? newRefreshToken(s, grant) : undefined
  return issue(s, call, { kind: 'code', grant, scopes: grant.scopes, refreshToken })
}

/** RFC 6749 §6: fewer scopes than were granted may be asked for, never others. */
const narrowed = (grant: Grant, asked: string | undefined): readonly string[] | undefined => {
  if (asked === undefined) return grant.scopes
  const scopes = asked.split(' ')
  return scopes.every(scope => grant.scopes.includes(scope)) ? scopes : undefined
}

const renew = (s: Situation): Issued | Refused => {
  const { registry, request, play, client, switches } = s
  const call = play.expectation.refresh
  if (!call) return refuse('unsupported_grant_type', 'no refresh tokens are issued here')
  const value = text(request.body, 'refresh_token')
  if (value === undefined) return refuse('invalid_request', 'refresh_token is missing')

  const row = registry.store.refresh(value)
  const grant = row && registry.store.grant(row.grant)
  const invalid = refuse('invalid_refresh_token', 'the refresh token is unknown, revoked or already used')
  if (!row || !grant || grant.provider !== play.provider || grant.clientId !== client.clientId) return invalid
  if (!sameLabels(grant.labels, s.found.labels)) return invalid
  if (row.spentAt !== null) {
    const grace = switches.graceSeconds ?? call.graceSeconds ?? 0
    if (grace <= 0 || registry.now() - row.spentAt > grace * 1000) {
      if (call.reuseRevokes) registry.store.revokeGrant(grant.id)
      return invalid
    }
  }
  const { idleSeconds: idle } = call
  if (idle !== undefined && row.idleSince !== undefined && registry.now() - row.idleSince > idle * 1000) return invalid
  const scopes = narrowed(grant, text(request.body, 'scope'))
  if (!scopes) return refuse('invalid_request', 'scope asks for more than was granted')
  const rotates = switches.rotates ?? call.rotates
  if (!rotates) registry.store.touch(row)
  else {
    if (call.graceUntilUsed && row.spentAt === null) registry.store.endGrace(grant.id)
    registry.store.spend(row)
  }
  const refreshToken = rotates ? newRefreshToken(s, grant) : value
  const issued = issue(s, call, { kind: 'refresh', grant, scopes, refreshToken })
  if (call.accessTokens !== undefined) registry.store.keepNewest(grant.id, call.accessTokens)
  return rotates && !call.rotates ? { ...issued, answer: withRefreshToken(issued.answer, refreshToken) } : issued
}

export const token = (registry: Registry, request: Incoming, all: readonly Found[]): Reply => {
  const play = choose(registry, request, all)
  const mine = all.filter(f => f.route.play === play)
  const kind = kindOf(
    request,
    mine.flatMap(f => f.route.token ?? []),
  )
  const found = mine.find(f => f.route.token === kind) ?? mine[0]
  if (!play || !found) throw new Error('a token call without a provider')

  const { expectation } = play
  const call = (kind === 'refresh' ? expectation.refresh : undefined) ?? expectation.code
  const switches = registry.switches(play.provider)
  const id = claimedId(presented(request))
  const base = {
    provider: play.provider,
    kind,
    url: call.url,
    ...(id !== undefined && play.clients.has(id) ? { clientId: id } : {}),
  }
  const delay = switches.delayMs === undefined ? {} : { delayMs: switches.delayMs }

  const fail = registry.take(play.provider, 'fail')
  if (fail) {
    const { status, body, headers } = fail
    const answer: Answer = { status, body: body ?? { error: 'server_error' }, ...(headers ? { headers } : {}) }
    return { answer, call: { ...base, outcome: 'failed' }, ...delay }
  }
  const done = ((): Issued | Refused => {
    const form = checkForm(call, kind, request)
    if (form && form.refusal !== 'unsupported_grant_type') return form
    const who = authenticate(play, call.client, request)
    if ('refusal' in who) return who
    const wrong = form ?? checkRest(call, request)
    if (wrong) return wrong
    const situation: Situation = { registry, request, play, found, switches, client: who.client }
    return kind === 'code' ? exchange(situation) : renew(situation)
  })()
  const lost = registry.take(play.provider, 'loseReply') ? { lose: true } : {}
  if ('refusal' in done) {
    const answer = refusal(expectation, done)
    return { answer, call: { ...base, outcome: done.refusal, ...(lost.lose ? { lost: true } : {}) }, ...delay, ...lost }
  }
  const { grant, answer } = done
  const whose = { grant: grant.id, account: grant.account }
  return { answer, call: { ...base, ...whose, outcome: 'ok', ...(lost.lose ? { lost: true } : {}) }, ...delay, ...lost }
}
