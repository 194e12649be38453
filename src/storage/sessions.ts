/** The part of the storage port that is about connect sessions, and what is left of deleted connections. */
import type { Transaction } from 'kysely'
import type { Outcome } from '../core/attempt.ts'
import type { DeletedConnection } from '../core/connection.ts'
import type { ConnectSession } from '../core/session.ts'
import type { Storage } from '../core/storage.ts'
import type { Engine } from './engine.ts'
import { mustBeOpen } from './open-environment.ts'
import { date, optional, same, type Tables } from './tables.ts'
import type { SessionTables } from './tables-sessions.ts'

const toSession = (row: SessionTables['connect_sessions']): ConnectSession => ({
  environmentId: row.environment_id,
  id: row.id,
  tokenHash: row.token_hash,
  integrationKey: row.integration_key,
  endUserId: row.end_user_id,
  caller: row.caller,
  opens: row.opens as ConnectSession['opens'],
  dialect: row.dialect,
  duplicate: row.duplicate === 1,
  params: JSON.parse(row.params_json),
  ...optional('name', row.name, same),
  ...optional('returnTo', row.return_to, same),
  ...optional('state', row.state, same),
  ...optional('stateHash', row.state_hash, same),
  stateGiven: row.state_given === 1,
  ...optional('choice', row.choice_json, JSON.parse),
  ...optional('repairs', row.repairs, same),
  ...optional('browserHash', row.browser_hash, same),
  ...optional('codeHash', row.code_hash, same),
  ...optional('code', row.code, same),
  ...optional('connectionRow', row.connection_row, same),
  ...optional('outcome', row.outcome_json, JSON.parse),
  ...optional('finishedAt', row.finished_at, date),
  createdAt: date(row.created_at),
  expiresAt: date(row.expires_at),
})

const fromSession = (session: ConnectSession): SessionTables['connect_sessions'] => ({
  environment_id: session.environmentId,
  id: session.id,
  token_hash: session.tokenHash,
  integration_key: session.integrationKey,
  end_user_id: session.endUserId,
  caller: session.caller,
  opens: session.opens,
  dialect: session.dialect,
  duplicate: session.duplicate ? 1 : 0,
  params_json: JSON.stringify(session.params),
  name: session.name ?? null,
  return_to: session.returnTo ?? null,
  state_hash: session.stateHash ?? null,
  state: session.state ?? null,
  state_given: session.stateGiven ? 1 : 0,
  choice_json: session.choice ? JSON.stringify(session.choice) : null,
  repairs: session.repairs ?? null,
  browser_hash: session.browserHash ?? null,
  code_hash: session.codeHash ?? null,
  code: session.code ?? null,
  connection_row: session.connectionRow ?? null,
  outcome_json: session.outcome ? JSON.stringify(session.outcome) : null,
  finished_at: session.finishedAt?.getTime() ?? null,
  created_at: session.createdAt.getTime(),
  expires_at: session.expiresAt.getTime(),
})

export const fromDeleted = (row: DeletedConnection): SessionTables['deleted_connections'] => ({
  environment_id: row.environmentId,
  id: row.id,
  integration_key: row.integrationKey,
  connection_id: row.connectionId,
  end_user_id: row.endUserId,
  deleted_at: row.deletedAt.getTime(),
  merged_into: row.mergedInto ?? null,
})

export const toDeleted = (row: SessionTables['deleted_connections']): DeletedConnection => ({
  environmentId: row.environment_id,
  id: row.id,
  integrationKey: row.integration_key,
  connectionId: row.connection_id,
  endUserId: row.end_user_id,
  deletedAt: date(row.deleted_at),
  ...optional('mergedInto', row.merged_into, same),
})

/** A session ends with its attempt. One that has a connection keeps it, whatever a later attempt does. */
export const endSession = async (
  tx: Transaction<Tables>,
  environmentId: number,
  id: string,
  end: { readonly outcome: Outcome; readonly row: string | null; readonly at: number },
): Promise<void> => {
  await tx
    .updateTable('connect_sessions')
    .set({ outcome_json: JSON.stringify(end.outcome), connection_row: end.row, finished_at: end.at })
    .where('environment_id', '=', environmentId)
    .where('id', '=', id)
    .where('connection_row', 'is', null)
    .execute()
}

/** Moves rows of connections to what is remembered of them. */
export const removeConnections = async (
  tx: Transaction<Tables>,
  environmentId: number,
  by: { readonly id: string } | { readonly endUserId: string },
  at: Date,
  mergedInto: string | null = null,
): Promise<number> => {
  let rows = tx
    .deleteFrom('connections')
    .where('environment_id', '=', environmentId)
    .returning(['environment_id', 'id', 'integration_key', 'connection_id', 'end_user_id'])
  rows = 'id' in by ? rows.where('id', '=', by.id) : rows.where('end_user_id', '=', by.endUserId)
  const removed = await rows.execute()
  for (const row of removed)
    await tx
      .insertInto('deleted_connections')
      .values({ ...row, deleted_at: at.getTime(), merged_into: mergedInto })
      .onConflict(on =>
        on.columns(['environment_id', 'id']).doUpdateSet({ deleted_at: at.getTime(), merged_into: mergedInto }),
      )
      .execute()
  return removed.length
}

type Part = Pick<
  Storage,
  | 'addSession'
  | 'session'
  | 'latestSession'
  | 'countSessions'
  | 'countAttempts'
  | 'bindSession'
  | 'deleteSession'
  | 'setSessionReturn'
  | 'setSessionCode'
  | 'deleteConnection'
  | 'deletedConnection'
>

export const sessionStorage = ({ db, transact, shareLocked }: Engine): Part => ({
  async addSession(session) {
    await db.insertInto('connect_sessions').values(fromSession(session)).execute()
  },
  async session(environmentId, by) {
    let rows = db.selectFrom('connect_sessions').selectAll().where('environment_id', '=', environmentId)
    if ('id' in by) rows = rows.where('id', '=', by.id)
    else if ('tokenHash' in by) rows = rows.where('token_hash', '=', by.tokenHash)
    else if ('codeHash' in by) rows = rows.where('code_hash', '=', by.codeHash)
    else rows = rows.where('state_hash', '=', by.stateHash).where('caller', '=', by.caller)
    const row = await rows.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(1).executeTakeFirst()
    return row && toSession(row)
  },
  async countSessions({ environmentId, caller, stateHash }) {
    const row = await db
      .selectFrom('connect_sessions')
      .select(each => each.fn.countAll<number>().as('count'))
      .where('environment_id', '=', environmentId)
      .where('caller', '=', caller)
      .where('state_hash', '=', stateHash ?? '')
      .executeTakeFirstOrThrow()
    return Number(row.count)
  },
  async countAttempts(environmentId, sessionId) {
    const row = await db
      .selectFrom('attempts')
      .select(each => each.fn.countAll<number>().as('count'))
      .where('environment_id', '=', environmentId)
      .where('session_id', '=', sessionId)
      .executeTakeFirstOrThrow()
    return Number(row.count)
  },
  async latestSession(environmentId, caller, integrationKey) {
    const row = await db
      .selectFrom('connect_sessions')
      .selectAll()
      .where('environment_id', '=', environmentId)
      .where('caller', '=', caller)
      .where('integration_key', '=', integrationKey)
      .orderBy('created_at', 'desc')
      .orderBy('id', 'desc')
      .limit(1)
      .executeTakeFirst()
    return row && toSession(row)
  },
  async bindSession(environmentId, id, browserHash, now) {
    const bound = await db
      .updateTable('connect_sessions')
      .set({ browser_hash: browserHash })
      .where('environment_id', '=', environmentId)
      .where('id', '=', id)
      .where(each => each.or([each('browser_hash', 'is', null), each('browser_hash', '=', browserHash)]))
      .where('expires_at', '>', now.getTime())
      .executeTakeFirstOrThrow()
    return bound.numUpdatedRows === 1n
  },
  async deleteSession(environmentId, id) {
    const rows = db.deleteFrom('connect_sessions').where('environment_id', '=', environmentId)
    await rows.where('id', '=', id).execute()
  },
  async setSessionReturn(environmentId, id, returnTo) {
    const set = await db
      .updateTable('connect_sessions')
      .set({ return_to: returnTo })
      .where('environment_id', '=', environmentId)
      .where('id', '=', id)
      .where('browser_hash', 'is', null)
      .executeTakeFirstOrThrow()
    return set.numUpdatedRows === 1n
  },
  async setSessionCode(environmentId, id, { code, codeHash }) {
    await db
      .updateTable('connect_sessions')
      .set({ code, code_hash: codeHash })
      .where('environment_id', '=', environmentId)
      .where('id', '=', id)
      .where('code_hash', 'is', null)
      .execute()
    const row = await db
      .selectFrom('connect_sessions')
      .select('code')
      .where('environment_id', '=', environmentId)
      .where('id', '=', id)
      .executeTakeFirst()
    return row?.code ?? undefined
  },

  deleteConnection: (environmentId, id, at, mergedInto) =>
    transact(async tx => {
      await mustBeOpen({ shareLocked }, tx, environmentId)
      const kept = tx
        .selectFrom('connections')
        .select('id')
        .where('environment_id', '=', environmentId)
        .where('id', '=', mergedInto ?? id)
      if (!(await kept.executeTakeFirst())) return false
      return (await removeConnections(tx, environmentId, { id }, at, mergedInto)) === 1
    }),
  async deletedConnection(environmentId, idOrName) {
    const row = await db
      .selectFrom('deleted_connections')
      .selectAll()
      .where('environment_id', '=', environmentId)
      .where(each => each.or([each('id', '=', idOrName), each('connection_id', '=', idOrName)]))
      .orderBy('deleted_at', 'desc')
      .limit(1)
      .executeTakeFirst()
    return row && toDeleted(row)
  },
})
