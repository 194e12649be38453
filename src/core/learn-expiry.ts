/** When a token ends whose answer did not say: the provider is asked, where its definition says how. */
import type { Connection } from './connection.ts'
import type { Context } from './context.ts'
import { toMortiseError } from './errors.ts'
import type { Client } from './grants/authorization-code.ts'
import { introspectionRequest, readIntrospection } from './grants/introspection.ts'
import { openCredential } from './sealed.ts'

/**
 * The row, with what was learned written to it. Asked only once the credential is stored, so that no answer that is lost
 * meanwhile takes a new token with it. What fails leaves the row as it is: `token.lifetime` stands.
 */
export const learnExpiry = async (context: Context, client: Client, row: Connection): Promise<Connection> => {
  const { accessToken } = openCredential(await context.sealerOf(row.environmentId), row)
  const request = introspectionRequest(client, accessToken)
  if (!request) return row
  try {
    const expiresAt = readIntrospection(client.provider, await context.call.send(request))
    if (!expiresAt || expiresAt <= row.obtainedAt) return row
    await context.storage.noteExpiry(row.environmentId, row.id, row.credentialRevision, expiresAt)
    return { ...row, expiresAt }
  } catch (thrown) {
    const { code } = toMortiseError(thrown)
    context.log.warn('the end of a token was not learned', { provider: row.provider, id: row.id, code })
    return row
  }
}
