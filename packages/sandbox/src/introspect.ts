import { authenticate, claimedId, presented } from './client-auth.ts'
import type { Introspected } from './expectation.ts'
import { type Incoming, json, type Reply, text } from './http.ts'
import { type Found, type Play, type Refused, type Registry, refusal } from './registry.ts'
import type { Grant } from './store.ts'

interface Alive {
  readonly grant: Grant
  readonly token: Introspected
}

/** What the token is, if it is alive and this client's own; whose it is otherwise is nobody's business (RFC 7662 §4). */
const alive = (registry: Registry, play: Play, clientId: string, value: string): Alive | undefined => {
  const { store } = registry
  const live = store.live(value)
  const spent = store.refresh(value)
  const grant = live?.grant ?? (spent?.spentAt === null ? store.grant(spent.grant) : undefined)
  const account = grant && registry.account(play, grant.account)
  if (!grant || !account || grant.provider !== play.provider || grant.clientId !== clientId) return undefined
  const shared = { clientId, account }
  if (!live) return { grant, token: { kind: 'refresh', scopes: grant.scopes, ...shared } }
  const { expiresAt, scopes } = live.access
  const lifetime = registry.switches(play.provider).lifetime ?? play.expectation.lifetime ?? 0
  const times =
    expiresAt === null ? {} : { issuedAt: new Date(expiresAt - lifetime * 1000), expiresAt: new Date(expiresAt) }
  return { grant, token: { kind: 'access', scopes, ...shared, ...times } }
}

/** https://www.rfc-editor.org/rfc/rfc7662#section-2.1 */
export const introspect = (registry: Registry, request: Incoming, all: readonly Found[]): Reply => {
  const id = claimedId(presented(request))
  const found = all.find(f => id !== undefined && f.route.play.clients.has(id)) ?? all[0]
  const { play } = found?.route ?? {}
  const rules = play?.expectation.introspect
  if (!play || !rules) throw new Error('an introspection without a provider')
  const base = {
    provider: play.provider,
    kind: 'introspect' as const,
    url: rules.url,
    ...(id !== undefined && play.clients.has(id) ? { clientId: id } : {}),
  }
  const refuse = (refused: Refused): Reply => ({
    answer: refusal(play.expectation, refused),
    call: { ...base, outcome: refused.refusal },
  })
  const { body } = request
  if (body.kind !== 'form') return refuse({ refusal: 'invalid_request', why: 'expected a form body' })
  if (body.problem !== undefined) return refuse({ refusal: 'invalid_request', why: body.problem })
  const who = authenticate(play, rules.client, request)
  if ('refusal' in who) return refuse(who)
  const value = text(body, 'token')
  if (value === undefined) return refuse({ refusal: 'invalid_request', why: 'the token to look at is missing' })
  const known = alive(registry, play, who.client.clientId, value)
  if (!known) return { answer: json(200, { active: false }), call: { ...base, outcome: 'ok' } }
  const { grant, token } = known
  return { answer: rules.answer(token), call: { ...base, grant: grant.id, account: grant.account, outcome: 'ok' } }
}
