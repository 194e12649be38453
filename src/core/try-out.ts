/** Whether a connection works is found out by using it: the provider is asked whose account it is. */
import type { Connection, Flag } from './connection.ts'
import type { Context } from './context.ts'
import type { CredentialKind } from './credential.ts'
import { MortiseError, toMortiseError } from './errors.ts'
import { flagEvents } from './happened.ts'
import { identityRequest } from './identity.ts'
import { unknownIntegration } from './integration.ts'
import { clientOfRow } from './own-client.ts'
import { isOutage } from './ports.ts'
import { identityOf, type Provider } from './provider.ts'
import { type Read, readRow } from './read.ts'
import type { Refresher } from './refresh.ts'

/**
 * The connection as it works now. A credential that the provider refuses is renewed once, where it can be; one that it
 * still refuses is flagged, so that lists and reads say so too. Throws `reauthorization_required`, or an outage, which
 * flags nothing.
 */
export const tryOut = async (context: Context, refresher: Refresher, row: Connection): Promise<Read> => {
  const { storage, clock } = context
  let read = await readRow(context, refresher, row)
  try {
    let told = await asked(context, read)
    if (told instanceof MortiseError && read.connection.renewal !== undefined) {
      read = await readRow(context, refresher, await refresher.renew(read.connection, 'dead'))
      told = await asked(context, read)
    }
    if (told instanceof MortiseError) throw told
    // Nobody could be asked, so nothing was found out.
    if (told === 'silent') return read
  } catch (thrown) {
    const error = toMortiseError(thrown)
    const { environmentId, id, credentialRevision } = read.connection
    if (error.code === 'reauthorization_required') {
      const why: Flag = { cause: 'refresh_refused', message: error.message }
      const now = clock.now()
      const events = await flagEvents(context, read.connection, why, now)
      if (await storage.flagConnection(environmentId, id, credentialRevision, why, now, events)) context.wake()
    }
    throw error
  }
  const { environmentId, id, credentialRevision } = read.connection
  const at = clock.now()
  await storage.noteChecked(environmentId, id, credentialRevision, at)
  return { ...read, connection: { ...read.connection, checkedAt: at } }
}

/**
 * As which kind of credential the provider can be asked whether it takes this one, if at all. Where the token answer told
 * whose account it is, the request that tries keys serves as well.
 */
export const askedAs = (provider: Provider, kind: CredentialKind): CredentialKind | undefined =>
  [kind, ...(kind === 'oauth2' ? (['bearer'] as const) : [])].find(each => identityOf(provider, each)?.request)

/** Whether the provider takes the credential, or why not; `silent` where it gives no way to ask. Throws an outage. */
const asked = async (
  context: Context,
  { connection, credential }: Read,
): Promise<MortiseError | 'taken' | 'silent'> => {
  const integration = await context.storage.integration(connection.environmentId, connection.integrationKey)
  if (!integration)
    throw unknownIntegration(connection.integrationKey, await context.environmentOf(connection.environmentId))
  const client = await clientOfRow(context, integration, connection)
  const { provider } = client
  const kind = askedAs(provider, credential.kind)
  const request = kind && identityRequest(context, client, { ...credential, kind })
  if (!request) return 'silent'
  const { status } = await context.call.send(request)
  if (status < 300) return 'taken'
  if (isOutage(status))
    throw new MortiseError(
      'provider_unavailable',
      `${provider.name} answered ${status}; trying again later can help.`,
      {
        providerStatus: status,
      },
    )
  // Refused for what it may do, it is no dead credential.
  if (status !== 401) return 'taken'
  return new MortiseError(
    'reauthorization_required',
    `${provider.name} no longer takes this credential (status 401): it was disconnected or revoked there. The end user must connect the account again.`,
    { reason: 'refresh_refused', providerStatus: status },
  )
}
