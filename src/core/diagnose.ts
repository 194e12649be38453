/** What could be in the way of a flow, looked at one by one, instead of guessed. */
import type { Context } from './context.ts'
import { type Environment, type Scope, usualScopes } from './environment.ts'
import { toMortiseError } from './errors.ts'
import { findIntegration } from './find.ts'
import { checkReturn } from './return-url.ts'
import { endUserNamed, rowUserId } from './users.ts'

export interface Check {
  readonly check: 'key' | 'user' | 'connector' | 'redirect' | 'clock'
  readonly ok: boolean
  /** What was found, or what is wrong and who must do what. */
  readonly message: string
}

export interface Asked {
  /** What the key may do; undefined: the operator asks, without one. */
  readonly granted?: ReadonlySet<Scope>
  readonly user?: string
  readonly connector?: string
  readonly redirectUri?: string
  /** The caller's own time. */
  readonly time?: Date
}

/** What a clock may differ by, in milliseconds: the browser SDK allows as much. */
const mostDrift = 5 * 60_000

/** A look that fails does not stop the others. */
export const diagnose = async (context: Context, environment: Environment, asked: Asked): Promise<Check[]> => {
  const look = async (check: Check['check'], work: () => Promise<string>): Promise<Check> => {
    try {
      return { check, ok: true, message: await work() }
    } catch (thrown) {
      const error = toMortiseError(thrown)
      if (error.code === 'internal') throw thrown
      return { check, ok: false, message: error.message }
    }
  }
  const { granted, connector, redirectUri, time } = asked
  const checks: Check[] = []
  if (granted) {
    const missing = usualScopes.filter(scope => !granted.has(scope))
    checks.push({
      check: 'key',
      ok: missing.length === 0,
      message: `The key opens the environment "${environment.name}"${missing.length === 0 ? ' and may do everything.' : `; it lacks the scopes ${missing.join(', ')}. Make one that has them: npx mortise key create`}`,
    })
  }
  if (!granted || granted.has('connections:read'))
    checks.push(
      await look('user', async () => {
        const user = await endUserNamed(context, environment, asked.user, 'as asked')
        const rows = await context.storage.connections(environment.id, { endUserId: rowUserId(user) })
        return `The user is "${user.username}" (${user.id}), with ${rows.length} connection${rows.length === 1 ? '' : 's'}.`
      }),
    )
  if (connector !== undefined)
    checks.push(
      await look('connector', async () => {
        const integration = await findIntegration(context, environment, connector)
        const told = integration.redirectUri ?? context.redirectUri
        return `${context.providerOf(integration).name} is ready as "${integration.key}"; the provider must have this redirect URI: ${told}`
      }),
    )
  if (redirectUri !== undefined)
    checks.push(
      await look('redirect', async () => {
        await checkReturn(context, environment, redirectUri, true)
        return `A finished flow may return to ${redirectUri}.`
      }),
    )
  if (time !== undefined) {
    const drift = Math.abs(time.getTime() - context.clock.now().getTime())
    checks.push({
      check: 'clock',
      ok: drift <= mostDrift,
      message: `Your clock and the hub's differ by ${Math.round(drift / 1000)} s${drift <= mostDrift ? '.' : '; JWTs and webhook signatures fail from five minutes on. Set the clock by NTP.'}`,
    })
  }
  return checks
}
