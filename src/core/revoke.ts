/** A grant is ended at the provider, so that no token that was ever given out works any more. */
import type { Connection } from './connection.ts'
import type { Context } from './context.ts'
import { type MortiseError, toMortiseError } from './errors.ts'
import { issuerOf } from './exchange.ts'
import { readRevocation, revocationRequest } from './grants/revocation.ts'
import { openCredential } from './sealed.ts'

export type Revocation =
  /** The provider said so. */
  | { readonly outcome: 'revoked' }
  /** It is a key that the end user gave, or the provider has no such call: only its own settings can end it. */
  | { readonly outcome: 'unsupported' }
  /** The grant may be alive there. */
  | { readonly outcome: 'failed'; readonly error: MortiseError }

/**
 * Asks the provider once, with the credential of this row: give it the last one there was. Never throws, since nobody
 * waits for a provider to delete what is theirs; what came of it is told and logged. The row is left as it is.
 * `patience`: milliseconds that the provider has to answer.
 */
export const revoke = async (
  context: Context,
  row: Connection,
  patience = context.timing.call,
): Promise<Revocation> => {
  const fields = { provider: row.provider, id: row.id }
  try {
    if (row.kind !== 'oauth2') return { outcome: 'unsupported' }
    const issuer = await issuerOf(context, row)
    const credential = openCredential(await context.sealerOf(row.environmentId), row)
    const request = revocationRequest(issuer, credential)
    if (!request) return { outcome: 'unsupported' }
    readRevocation(issuer.provider, await context.call.send({ ...request, timeout: patience }))
    context.log.info('a grant was revoked', fields)
    return { outcome: 'revoked' }
  } catch (thrown) {
    const error = toMortiseError(thrown)
    context.log.warn('a grant was not revoked', {
      ...fields,
      code: error.code,
      ...(error.code === 'internal' ? { err: error.cause ?? error } : {}),
    })
    return { outcome: 'failed', error }
  }
}
