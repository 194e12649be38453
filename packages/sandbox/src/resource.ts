import { authenticate, claimedId, presented } from './client-auth.ts'
import type { Answer, Expectation } from './expectation.ts'
import { anyText, type Incoming, json, type Reply, text } from './http.ts'
import { sameLabels, unmet, unmetHeader } from './match.ts'
import type { OAuth1 } from './oauth1.ts'
import { type Found, type Play, type Refused, type Registry, refusal } from './registry.ts'
import type { Access, Grant } from './store.ts'
import type { Recorded } from './types.ts'

/** The access token in the documented header, and only there. */
const bearer = (expectation: Expectation, request: Incoming): string | undefined => {
  const { header, prefix } = expectation.credential ?? { header: 'authorization', prefix: 'Bearer ' }
  const sent = request.headers[header.toLowerCase()]
  const scheme = prefix.trim()
  if (sent === undefined) return undefined
  if (scheme === '') return sent.trim() || undefined
  // An authentication scheme is compared without regard to case (RFC 9110 §11.1) and followed by a space.
  const [first = '', rest = ''] = [sent.slice(0, scheme.length), sent.slice(scheme.length)]
  return first.toLowerCase() === scheme.toLowerCase() && /^ +\S+$/.test(rest) ? rest.trim() : undefined
}

interface Holder {
  readonly token: string
  readonly access: Access
  readonly grant: Grant
  readonly found: Found
}

/** Which of the providers at this URL the token is alive with. */
const holder = (registry: Registry, request: Incoming, all: readonly Found[], oauth1?: OAuth1): Holder | undefined => {
  for (const found of all) {
    const { play } = found.route
    const token = play.expectation.oauth1 ? oauth1?.tokenOf(request, play) : bearer(play.expectation, request)
    const live = token === undefined ? undefined : registry.store.live(token)
    if (token === undefined || live?.grant.provider !== found.route.play.provider) continue
    if (sameLabels(live.grant.labels, found.labels)) return { token, ...live, found }
  }
  return undefined
}

const of = (play: Play, found: Found, kind: 'api' | 'revoke') => ({
  provider: play.provider,
  kind,
  url: found.route.template.url,
})

const whose = (grant: Grant) => ({ clientId: grant.clientId, grant: grant.id, account: grant.account })

/** The request whole, with `{token}` wherever the token stood. */
const recorded = (
  { provider }: Play,
  token: string,
  { method, host, path, search, headers, body }: Incoming,
): Recorded => {
  const encoded = new URLSearchParams({ token }).toString().slice('token='.length)
  const masked = (text: string): string => text.replaceAll(token, '{token}').replaceAll(encoded, '{token}')
  return {
    provider,
    method,
    url: masked(`https://${host}${path}${search}`),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, masked(value ?? '')])),
    ...(body.raw === undefined ? {} : { body: masked(body.raw) }),
  }
}

export const api = (registry: Registry, oauth1: OAuth1, request: Incoming, all: readonly Found[]): Reply => {
  const held = holder(registry, request, all, oauth1)
  const found = held?.found ?? all[0]
  const call = found?.route.api
  if (!found || !call) throw new Error('an API call without a provider')
  const { play } = found.route
  const base = of(play, found, 'api')
  if (!held) return { answer: play.expectation.unauthorized, call: { ...base, outcome: 'unauthorized' } }

  if (registry.switches(play.provider).record) registry.record(recorded(play, held.token, request))
  const logged = { ...base, ...whose(held.grant) }
  const wrong = unmetHeader(call.headers, request.headers) ?? request.body.problem
  if (wrong !== undefined) {
    const answer = json(400, { error: 'invalid_request', error_description: wrong })
    return { answer, call: { ...logged, outcome: 'invalid_request' } }
  }
  const account = registry.account(play, held.grant.account)
  if (!account) return { answer: play.expectation.unauthorized, call: { ...logged, outcome: 'unauthorized' } }
  const answer = call.answer({
    host: request.host,
    path: found.segments,
    query: request.query,
    headers: request.headers,
    body: request.body.kind === 'json' ? request.body.json : undefined,
    account,
    scopes: held.access.scopes,
    clientId: held.grant.clientId,
    now: new Date(registry.now()),
  })
  return { answer, call: { ...logged, outcome: 'ok' } }
}

/** The token to revoke: in the body, the query, the path as `{token}`, or the one the call is made with. */
const target = (registry: Registry, request: Incoming, found: Found): string | undefined => {
  const { revoke } = found.route.play.expectation
  const { param } = revoke ?? {}
  if (param !== undefined) return text(request.body, param) ?? (request.query.get(param) || undefined)
  return (
    found.segments['token'] ?? (revoke?.client === 'bearer' ? holder(registry, request, [found])?.token : undefined)
  )
}

const grantOf = (registry: Registry, token: string | undefined): Grant | undefined => {
  const row = token === undefined ? undefined : (registry.store.access(token) ?? registry.store.refresh(token))
  return registry.store.grant(row?.grant ?? null)
}

type Revoked = { readonly answer: Answer; readonly grant?: Grant } | Refused | 'unauthorized'

const revokeWith = (registry: Registry, request: Incoming, found: Found, token: string | undefined): Revoked => {
  const { play } = found.route
  const { revoke: rules } = play.expectation
  if (!rules) throw new Error('a revocation without a provider')
  const { body } = request
  const kind = body.kind === 'none' || rules.body === 'either' || rules.body === body.kind
  if (!kind || body.kind === 'other') return { refusal: 'invalid_request', why: 'the body has the wrong content type' }
  if (body.problem !== undefined) return { refusal: 'invalid_request', why: body.problem }

  let clientId: string | undefined
  if (rules.client === 'basic' || rules.client === 'body' || rules.client === 'either') {
    const who = authenticate(play, rules.client, request)
    if ('refusal' in who) return who
    clientId = who.client.clientId
    // GitHub names the client in the path too.
    const named = found.segments['client_id']
    if (named !== undefined && named !== clientId) return { refusal: 'invalid_client', why: "another client's path" }
  }
  if (rules.client === 'id') {
    clientId = text(body, 'client_id')
    if (clientId === undefined || !play.clients.has(clientId))
      return { refusal: 'invalid_client', why: 'client_id is missing or unknown' }
  }
  if (rules.client === 'bearer' && !holder(registry, request, [found])) return 'unauthorized'
  const wrong = unmet(rules.params, name => anyText(body, name), 'parameter')
  if (wrong !== undefined) return { refusal: 'invalid_request', why: wrong }
  if (token === undefined) return { refusal: 'invalid_request', why: 'the token to revoke is missing' }

  const grant = grantOf(registry, token)
  // RFC 7009 §2.2: an unknown token is as good as a revoked one.
  if (!grant || grant.provider !== play.provider) return { answer: rules.answer }
  if (clientId !== undefined && grant.clientId !== clientId) {
    return { refusal: 'invalid_client', why: 'the token was issued to another client' }
  }
  if (!rules.accepts.includes(registry.store.access(token) ? 'access' : 'refresh')) {
    return { refusal: 'invalid_request', why: 'this kind of token cannot be revoked here' }
  }
  registry.store.revokeGrant(grant.id)
  return { answer: rules.answer, grant }
}

export const revoke = (registry: Registry, request: Incoming, all: readonly Found[]): Reply => {
  const id = claimedId(presented(request))
  const owned = all.find(f => grantOf(registry, target(registry, request, f))?.provider === f.route.play.provider)
  const found = owned ?? all.find(f => id !== undefined && f.route.play.clients.has(id)) ?? all[0]
  if (!found) throw new Error('a revocation without a provider')
  const { play } = found.route
  const base = { ...of(play, found, 'revoke'), ...(id !== undefined && play.clients.has(id) ? { clientId: id } : {}) }
  const done = revokeWith(registry, request, found, target(registry, request, found))
  if (done === 'unauthorized') {
    return { answer: play.expectation.unauthorized, call: { ...base, outcome: 'unauthorized' } }
  }
  if ('refusal' in done) return { answer: refusal(play.expectation, done), call: { ...base, outcome: done.refusal } }
  return { answer: done.answer, call: { ...base, ...(done.grant ? whose(done.grant) : {}), outcome: 'ok' } }
}
