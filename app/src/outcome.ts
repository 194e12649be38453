/** What became of a sign-in, where its code does not tell: the server is asked about it by its own name. */
import { AlloyError, messageOf } from './alloy-http.ts'
import { connectionIdOf } from './connections.ts'
import type { AlloyOAuthFlow } from './oauth-flow.ts'
import type { Attempt } from './sessions.ts'

export type Outcome =
  | { readonly kind: 'connected'; readonly connectionId: string }
  /** Pending, declined or failed, in the server's words. */
  | { readonly kind: 'not-connected'; readonly sentence: string }
  /** A server that names no sign-in, or has no route that tells of one. */
  | { readonly kind: 'unknown' }

/** Of this sign-in and no other. */
export const outcomeOf = async (
  flow: AlloyOAuthFlow,
  connectorId: string,
  credentialId: string | undefined,
): Promise<Outcome> => {
  if (credentialId === undefined) return { kind: 'unknown' }
  try {
    const { connectionId } = await flow.askAfter(connectorId, credentialId)
    return { kind: 'connected', connectionId }
  } catch (error) {
    if (isRouteMissing(error)) return { kind: 'unknown' }
    return { kind: 'not-connected', sentence: messageOf(error) }
  }
}

/** The words by which the documents know a connection that is not there. */
export const hasTitle = (message: string): boolean =>
  /^(?:Connection ID not found|Invalid connection ID|No connections available)\b/.test(message)

/** A vendor has no such route. A server that has it and misses what is named there says what. */
export const isRouteMissing = (error: unknown): boolean =>
  error instanceof AlloyError &&
  error.status === 404 &&
  !hasTitle(error.message) &&
  !/^Connection not found\b/.test(error.message)

/**
 * Another browser came back than the one that was sent off, so nobody knows whose account it connected: it is
 * disconnected. What was there before this sign-in is left. Returns what the person in that browser is told.
 */
export const disconnect = async (
  flow: AlloyOAuthFlow,
  { credentialId }: Pick<Attempt, 'credentialId'>,
): Promise<string | undefined> => {
  const log = (line: string) => console.log(`A sign-in came back in another browser than began it. ${line}`)
  if (credentialId === undefined) {
    log('The server gave it no credentialId, so what it connected cannot be told and is left.')
    return undefined
  }
  try {
    const row = await flow.getConnection(credentialId)
    const id = connectionIdOf(row)
    // A hub names what a sign-in makes after that sign-in.
    if (id !== credentialId.replace(/^cred_/, 'conn_')) {
      log(`${credentialId} made no connection of its own: ${id} was there before, and is left.`)
      return 'It renewed a connection that was there before, which is left.'
    }
    await flow.deleteConnection(credentialId)
    log(`What ${credentialId} connected is deleted.`)
    return 'The account that was connected by it is disconnected again.'
  } catch (error) {
    log(`What ${credentialId} connected could not be deleted: ${messageOf(error)}`)
    return undefined
  }
}
