/** Whether a connection works is found out by using it: the provider is asked whose account it is. */
import type { Context } from './context.ts'
import { MortiseError } from './errors.ts'
import type { Client } from './grants/authorization-code.ts'
import { identityRequest } from './identity.ts'
import { unknownIntegration } from './integration.ts'
import { isOutage } from './ports.ts'
import type { Read } from './read.ts'

/** Resolves where the provider takes the credential, or gives no way to ask. Throws `reauthorization_required` or an outage. */
export const tryOut = async (context: Context, { connection, credential }: Read): Promise<void> => {
  const integration = await context.storage.integration(connection.environmentId, connection.integrationKey)
  if (!integration)
    throw unknownIntegration(connection.integrationKey, await context.environmentOf(connection.environmentId))
  const provider = context.providerOf(integration)
  const secret = await context.clientSecretOf(integration)
  const client: Client = { provider, integration, secret, config: connection.config }
  // Where the token answer told whose account it is, the request that tries keys serves as well.
  const request = identityRequest(client, credential) ?? identityRequest(client, { ...credential, kind: 'bearer' })
  if (!request) return
  const { status } = await context.call.send(request)
  if (status < 300) return
  if (isOutage(status))
    throw new MortiseError(
      'provider_unavailable',
      `${provider.name} answered ${status}; trying again later can help.`,
      {
        providerStatus: status,
      },
    )
  throw new MortiseError(
    'reauthorization_required',
    `${provider.name} no longer takes this credential (status ${status}): it was disconnected or revoked there. The end user must connect the account again.`,
    { reason: 'refresh_refused', providerStatus: status },
  )
}
