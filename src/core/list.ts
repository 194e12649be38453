/** Lists of connections: what may be asked for, and page after page of it. */
import type { ListedConnection } from './connection.ts'
import type { Context } from './context.ts'
import type { Cursor, ListFilter } from './storage.ts'

export interface ListAsk extends Omit<ListFilter, 'endUserId'> {
  /** The end user, by the app's own name for it. */
  readonly username?: string
}

/** As the storage takes it; undefined where nobody has that name, so that nothing fits. */
export const filterOf = async (
  context: Context,
  environmentId: number,
  { username, ...rest }: ListAsk,
): Promise<ListFilter | undefined> => {
  if (username === undefined) return rest
  const user = await context.storage.endUser(environmentId, { username })
  return user && { ...rest, endUserId: user.id }
}

/** Rows that are read at once. */
const atOnce = 500

/**
 * Those that fit, newest first, `atOnce` at a time, so that no more are in memory however many there are. Each piece goes
 * on after the one before, so that what is added or deleted meanwhile shifts nothing.
 */
export async function* listed(
  context: Context,
  environmentId: number,
  filter: ListFilter | undefined,
  { limit = Number.POSITIVE_INFINITY, skip = 0 }: { readonly limit?: number; readonly skip?: number } = {},
): AsyncGenerator<readonly ListedConnection[], void> {
  let after: Cursor | undefined
  let before = skip
  for (let left = filter ? limit : 0; filter && left > 0; ) {
    const most = Math.min(left, atOnce)
    const page = await context.storage.listConnections(environmentId, filter, {
      limit: most,
      skip: before,
      ...(after ? { after } : {}),
    })
    if (page.length > 0) yield page
    after = page.at(-1)
    before += page.length
    left = page.length < most ? 0 : left - most
  }
}
