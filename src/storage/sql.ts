/** The one implementation of the storage port, in Kysely. What the engines differ in is `engine.ts`. */
import type { Transaction } from 'kysely'
import type { CredentialRow, ReadRow } from '../core/connection.ts'
import { soon } from '../core/soon.ts'
import type { Storage } from '../core/storage.ts'
import { credentialStorage, one } from './credentials.ts'
import type { Engine } from './engine.ts'
import { listenerStorage } from './listeners.ts'
import { listStorage } from './lists.ts'
import { moveStorage } from './moves.ts'
import { mustBeOpen } from './open-environment.ts'
import { peopleStorage, writeTags } from './people.ts'
import { createPlaces, forgetting } from './places.ts'
import { refreshStorage, renewRefreshes } from './refreshes.ts'
import { remembered } from './remembered.ts'
import { endSession, sessionStorage } from './sessions.ts'
import {
  connectionColumns,
  fromAttempt,
  fromConnection,
  fromEnvironment,
  fromIntegration,
  hotColumns,
  integrationColumns,
  readColumns,
  type Tables,
  toAttempt,
  toConnection,
  toEnvironment,
  toIntegration,
  toSecretKey,
} from './tables.ts'
import { createTurn } from './turn.ts'
import { addDeliveries, webhookStorage } from './webhooks.ts'

const inUse = async (tx: Transaction<Tables>, environmentId: number, key: string): Promise<boolean> => {
  const used = tx
    .selectFrom('connections')
    .select('id')
    .where('environment_id', '=', environmentId)
    .where('integration_key', '=', key)
  return (await used.limit(1).executeTakeFirst()) !== undefined
}

export const createStorage = (engine: Engine): Storage => {
  const { db, transact } = engine
  const revision = engine.prepare<{ revision: number }>('SELECT revision FROM changes WHERE name = ?')
  const revisionOf = (row: { revision: number } | undefined) => {
    if (!row) throw new Error('The table changes has no row for the keys.')
    return row.revision
  }
  const epoch = remembered(() => soon(revision('keys'), revisionOf), engine.epochLasts)
  /** With a change of keys, in its transaction. */
  const keysChanged = async (tx: Transaction<Tables>) => {
    const rows = tx.updateTable('changes').where('name', '=', 'keys')
    await rows.set(columns => ({ revision: columns('revision', '+', 1) })).execute()
  }
  const places = createPlaces()
  const turn = createTurn(engine.together)
  const named = 'FROM connections WHERE environment_id = ? AND integration_key = ? AND connection_id = ?'
  const wholeRow = engine.prepare<Tables['connections']>(`SELECT ${connectionColumns.join(', ')} ${named}`)
  const withUser = `FROM connections LEFT JOIN end_users ON end_users.environment_id = connections.environment_id
    AND end_users.id = connections.end_user_id
    WHERE connections.environment_id = ? AND integration_key = ? AND connection_id = ?`
  const hotRow = engine.prepare<ReadRow>(`SELECT ${readColumns} ${withUser}`)
  const hotRowWithRenewal = engine.prepare<ReadRow>(`SELECT ${readColumns}, renewal_part AS "renewal" ${withUser}`)
  const hotCredential = engine.prepare<CredentialRow>(`SELECT ${hotColumns} ${named}`)
  const integrationRow = engine.prepare<Tables['integrations']>(
    `SELECT ${integrationColumns.join(', ')} FROM integrations WHERE key = ? AND environment_id = ?`,
  )

  const storage: Storage = {
    ...sessionStorage(engine),
    ...peopleStorage(engine),
    ...listStorage(engine, places),
    ...refreshStorage(engine),
    ...credentialStorage(engine),
    ...webhookStorage(engine),
    ...moveStorage(engine),
    ...listenerStorage(engine),
    async ping() {
      engine.check()
      await db.selectFrom('marks').select('name').limit(1).execute()
    },
    close: () => engine.close(),
    epoch: () => epoch.get(),

    async mark(name, value) {
      await db
        .insertInto('marks')
        .values({ name, value })
        .onConflict(on => on.doNothing())
        .execute()
      return (await db.selectFrom('marks').select('value').where('name', '=', name).executeTakeFirstOrThrow()).value
    },
    async marked(name) {
      return (await db.selectFrom('marks').select('value').where('name', '=', name).executeTakeFirst())?.value
    },

    async addEnvironment(environment) {
      const added = await db
        .insertInto('environments')
        .values(fromEnvironment(environment))
        .onConflict(on => on.doNothing())
        .executeTakeFirstOrThrow()
      return one(added)
    },
    async environments() {
      return (await db.selectFrom('environments').selectAll().orderBy('created_at').orderBy('id').execute()).map(
        toEnvironment,
      )
    },
    async setJwtKey(environmentId, jwtKey) {
      const rows = db.updateTable('environments').where('id', '=', environmentId)
      await rows.set({ jwt_key: jwtKey }).where('jwt_key', 'is', null).execute()
      const row = await db
        .selectFrom('environments')
        .select('jwt_key')
        .where('id', '=', environmentId)
        .executeTakeFirstOrThrow()
      return row.jwt_key ?? jwtKey
    },
    async renewJwtKey(environmentId, jwtKey) {
      await db.updateTable('environments').set({ jwt_key: jwtKey }).where('id', '=', environmentId).execute()
    },
    async setTellsLatest(environmentId, on) {
      await db
        .updateTable('environments')
        .set({ tells_latest: on ? 1 : 0 })
        .where('id', '=', environmentId)
        .execute()
    },
    async setHmacKey(environmentId, hmacKey) {
      await db
        .updateTable('environments')
        .set({ hmac_key: hmacKey ?? null })
        .where('id', '=', environmentId)
        .execute()
    },
    async allow(environmentId, kind, url) {
      await db
        .insertInto('allowed_urls')
        .values({ environment_id: environmentId, kind, url })
        .onConflict(on => on.doNothing())
        .execute()
    },
    async disallow(environmentId, kind, url) {
      return one(
        await db
          .deleteFrom('allowed_urls')
          .where('environment_id', '=', environmentId)
          .where('kind', '=', kind)
          .where('url', '=', url)
          .executeTakeFirstOrThrow(),
      )
    },
    async allowed(environmentId, kind) {
      const rows = await db
        .selectFrom('allowed_urls')
        .select('url')
        .where('environment_id', '=', environmentId)
        .where('kind', '=', kind)
        .orderBy('url')
        .execute()
      return rows.map(row => row.url)
    },

    async addKey(key) {
      await transact(async tx => {
        await tx
          .insertInto('secret_keys')
          .values({
            environment_id: key.environmentId,
            id: key.id,
            name: key.name,
            hash: key.hash,
            hint: key.hint,
            scopes_json: JSON.stringify(key.scopes),
            created_at: key.createdAt.getTime(),
            revoked_at: key.revokedAt?.getTime() ?? null,
          })
          .execute()
        await keysChanged(tx)
      }).finally(epoch.forget)
    },
    async keys() {
      return (await db.selectFrom('secret_keys').selectAll().orderBy('created_at').orderBy('id').execute()).map(
        toSecretKey,
      )
    },
    revokeKey: (environmentId, id, at) =>
      transact(async tx => {
        const revoked = await tx
          .updateTable('secret_keys')
          .set({ revoked_at: at.getTime() })
          .where('environment_id', '=', environmentId)
          .where('id', '=', id)
          .where('revoked_at', 'is', null)
          .executeTakeFirstOrThrow()
        if (one(revoked)) await keysChanged(tx)
        await tx
          .deleteFrom('connect_sessions')
          .where('environment_id', '=', environmentId)
          .where('caller', '=', id)
          .where('connection_row', 'is', null)
          .execute()
        return one(revoked)
      }).finally(epoch.forget),

    async addIntegration(integration) {
      const added = await db
        .insertInto('integrations')
        .values(fromIntegration(integration))
        .onConflict(on => on.doNothing())
        .executeTakeFirstOrThrow()
      return one(added)
    },
    integration: (environmentId, key) =>
      turn(
        () => soon(integrationRow(key, environmentId), row => row && toIntegration(row)),
        `integration ${environmentId} ${key}`,
      ),
    async integrations(environmentId) {
      const rows = await db
        .selectFrom('integrations')
        .selectAll()
        .where('environment_id', '=', environmentId)
        .orderBy('key')
        .execute()
      return rows.map(toIntegration)
    },
    updateIntegration: (id, next) =>
      transact(async tx => {
        const same = tx
          .selectFrom('integrations')
          .select('key')
          .where('environment_id', '=', next.environmentId)
          .where('id', '=', id)
        const before = await same.executeTakeFirst()
        if (!before) return 'unknown' as const
        if (before.key !== next.key) {
          const taken = await tx
            .selectFrom('integrations')
            .select('id')
            .where('environment_id', '=', next.environmentId)
            .where('key', '=', next.key)
            .executeTakeFirst()
          if (taken) return 'taken' as const
          if (await inUse(tx, next.environmentId, before.key)) return 'in use' as const
        }
        const { environment_id: _, id: __, created_at: ___, ...columns } = fromIntegration(next)
        await tx
          .updateTable('integrations')
          .set(columns)
          .where('environment_id', '=', next.environmentId)
          .where('id', '=', id)
          .execute()
        return 'updated' as const
      }),
    removeIntegration: (environmentId, key) =>
      transact(async tx => {
        if (await inUse(tx, environmentId, key)) return 'in use' as const
        const removed = await tx
          .deleteFrom('integrations')
          .where('environment_id', '=', environmentId)
          .where('key', '=', key)
          .executeTakeFirstOrThrow()
        return one(removed) ? ('removed' as const) : ('unknown' as const)
      }),

    async addAttempt(attempt) {
      await db.insertInto('attempts').values(fromAttempt(attempt)).execute()
    },
    async attempt(environmentId, stateHash) {
      const row = await db
        .selectFrom('attempts')
        .selectAll()
        .where('environment_id', '=', environmentId)
        .where('state_hash', '=', stateHash)
        .executeTakeFirst()
      return row && toAttempt(row)
    },
    async takeAttempt(environmentId, stateHash, browserHash, now) {
      const row = await db
        .updateTable('attempts')
        .set({ taken_at: now.getTime() })
        .where('environment_id', '=', environmentId)
        .where('state_hash', '=', stateHash)
        .where('browser_hash', '=', browserHash)
        .where('taken_at', 'is', null)
        .where('expires_at', '>', now.getTime())
        .returningAll()
        .executeTakeFirst()
      return row && toAttempt(row)
    },
    endAttempt: (environmentId, stateHash, outcome, at) =>
      transact(async tx => {
        const ended = await tx
          .updateTable('attempts')
          .set({ outcome_json: JSON.stringify(outcome), verifier: null, client: null })
          .where('environment_id', '=', environmentId)
          .where('state_hash', '=', stateHash)
          .where('outcome_json', 'is', null)
          .returning('session_id')
          .executeTakeFirst()
        if (ended?.session_id)
          await endSession(tx, environmentId, ended.session_id, { outcome, row: null, at: at.getTime() })
      }),
    async sweepAttempts(before) {
      const swept = await db.deleteFrom('attempts').where('expires_at', '<', before.getTime()).executeTakeFirstOrThrow()
      await db.deleteFrom('connect_sessions').where('expires_at', '<', before.getTime()).execute()
      return Number(swept.numDeletedRows)
    },

    authorize: draft =>
      transact(async tx => {
        await mustBeOpen(engine, tx, draft.environmentId)
        const { find } = draft
        const rows = tx
          .selectFrom('connections')
          .selectAll()
          .where('environment_id', '=', draft.environmentId)
          .where('integration_key', '=', draft.integrationKey)
        const found =
          find === undefined
            ? undefined
            : 'connectionId' in find
              ? await rows.where('connection_id', '=', find.connectionId).executeTakeFirst()
              : 'id' in find
                ? await rows.where('id', '=', find.id).executeTakeFirst()
                : await rows
                    .where('end_user_id', '=', find.endUserId)
                    .where('account_key', '=', find.accountKey)
                    .executeTakeFirst()
        // One session makes one connection, however often it was opened.
        const sessionId = draft.attempt?.sessionId
        const row =
          found ?? (sessionId === undefined ? undefined : await rows.where('id', '=', sessionId).executeTakeFirst())
        const next = draft.decide(row && { connection: toConnection(row), accountKey: row.account_key ?? undefined })
        const columns = fromConnection(next.connection, next.accountKey)
        if (row)
          await tx
            .updateTable('connections')
            .set(columns)
            .where('environment_id', '=', draft.environmentId)
            .where('id', '=', row.id)
            .execute()
        else await tx.insertInto('connections').values(columns).execute()
        if (columns.tags_json !== (row?.tags_json ?? '{}'))
          await writeTags(tx, { ...next.connection, createdAt: columns.created_at })
        await renewRefreshes(tx, next.connection, next.refreshAt)
        await addDeliveries(tx, draft.environmentId, draft.events?.(next.connection, row === undefined) ?? [])
        const { attempt } = draft
        if (attempt) {
          const outcome = attempt.outcome(next.connection)
          await tx
            .updateTable('attempts')
            .set({ outcome_json: JSON.stringify(outcome), verifier: null, client: null })
            .where('environment_id', '=', draft.environmentId)
            .where('state_hash', '=', attempt.stateHash)
            .execute()
          const end = { outcome, row: next.connection.id, at: next.connection.updatedAt.getTime() }
          if (attempt.sessionId !== undefined) await endSession(tx, draft.environmentId, attempt.sessionId, end)
        }
        return next.connection
      }),
    async connection(environmentId, integrationKey, connectionId) {
      const row = await wholeRow(environmentId, integrationKey, connectionId)
      return row && toConnection(row)
    },
    hot: (environmentId, integrationKey, connectionId, withRenewal) =>
      turn(() => (withRenewal ? hotRowWithRenewal : hotRow)(environmentId, integrationKey, connectionId)),
    version: engine.version,
    hotCredential: (environmentId, integrationKey, connectionId) =>
      turn(() => hotCredential(environmentId, integrationKey, connectionId)),
    async connectionById(environmentId, id) {
      const rows = db.selectFrom('connections').selectAll().where('environment_id', '=', environmentId)
      const row = await rows.where('id', '=', id).executeTakeFirst()
      return row && toConnection(row)
    },
    async connections(environmentId, filter) {
      let rows = db.selectFrom('connections').selectAll().where('environment_id', '=', environmentId)
      if (filter.endUserId !== undefined) rows = rows.where('end_user_id', '=', filter.endUserId)
      if (filter.integrationKey !== undefined) rows = rows.where('integration_key', '=', filter.integrationKey)
      if (filter.connectionId !== undefined) rows = rows.where('connection_id', '=', filter.connectionId)
      return (await rows.orderBy('created_at', 'desc').orderBy('id', 'desc').execute()).map(toConnection)
    },
  }
  return forgetting(storage, places)
}
