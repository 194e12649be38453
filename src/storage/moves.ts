/** The part of the storage port that freezes an environment, reads it whole, and restores one. */
import { type Kysely, sql, type Transaction } from 'kysely'
import { MortiseError } from '../core/errors.ts'
import type { MoveStorage, Restored, Snapshot, Stored, StoredRefresh } from '../core/storage-move.ts'
import { one } from './credentials.ts'
import type { Engine } from './engine.ts'
import { fromEndUser, tagRows, toEndUser, writeTags } from './people.ts'
import { fromDeleted, toDeleted } from './sessions.ts'
import {
  connectionColumns,
  date,
  fromConnection,
  fromEnvironment,
  optional,
  same,
  type Tables,
  toConnection,
  toEnvironment,
  toIntegration,
  toSecretKey,
} from './tables.ts'
import { fromEndpoint, toEndpoint } from './webhooks.ts'

/** Rows read at once. */
const page = 500

const toStoredRefresh = (row: Tables['refreshes']): StoredRefresh => ({
  ...optional('dueAt', row.due_at, date),
  ...optional('markDigest', row.mark_digest, same),
  ...optional('markFirstAt', row.mark_first_at, date),
  ...optional('markAt', row.mark_at, date),
  probes: row.probes,
  failures: row.failures,
  ...optional('failedAt', row.failed_at, date),
  ...optional('waitUntil', row.wait_until, date),
  ...optional('restoredRevision', row.restored_revision, same),
})

const fromStoredRefresh = ({ connection }: Stored, refresh: StoredRefresh): Tables['refreshes'] => ({
  environment_id: connection.environmentId,
  id: connection.id,
  provider: connection.provider,
  due_at: refresh.dueAt?.getTime() ?? null,
  // Whoever had the lease had it elsewhere.
  lease_holder: null,
  lease_fence: 0,
  lease_until: 0,
  mark_digest: refresh.markDigest ?? null,
  mark_first_at: refresh.markFirstAt?.getTime() ?? null,
  mark_at: refresh.markAt?.getTime() ?? null,
  probes: refresh.probes,
  failures: refresh.failures,
  failed_at: refresh.failedAt?.getTime() ?? null,
  wait_until: refresh.waitUntil?.getTime() ?? null,
  restored_revision: refresh.restoredRevision ?? null,
})

const toStored = (row: Tables['connections'], refresh: Tables['refreshes'] | undefined): Stored => ({
  connection: toConnection(row),
  ...optional('accountKey', row.account_key, same),
  ...(refresh ? { refresh: toStoredRefresh(refresh) } : {}),
})

/** Pages of rows by id, each asked for once the one before was taken. */
async function* pages<Row extends { readonly id: string }>(
  read: (after: string) => Promise<readonly Row[]>,
): AsyncGenerator<readonly Row[]> {
  for (let after = ''; ; ) {
    const rows = await read(after)
    const last = rows.at(-1)
    if (!last) return
    yield rows
    after = last.id
  }
}

const refreshesOf = async (db: Kysely<Tables>, environmentId: number, ids: readonly string[]) => {
  const rows = await db
    .selectFrom('refreshes')
    .selectAll()
    .where('environment_id', '=', environmentId)
    .where('id', 'in', [...ids])
    .execute()
  return new Map(rows.map(row => [row.id, row]))
}

/** Those of many rows that one insert writes, with so few values that both engines take it. */
async function* batches<T>(rows: readonly T[]): AsyncGenerator<readonly T[]> {
  for (let at = 0; at < rows.length; at += page) yield rows.slice(at, at + page)
}

export const moveStorage = (engine: Engine): MoveStorage => {
  const { db, transact } = engine
  const insert = insertsOf(engine)
  return {
    setFrozen: (environmentId, at) =>
      transact(async tx => {
        const rows = tx.updateTable('environments').where('id', '=', environmentId)
        if (at === undefined) await rows.set({ frozen_at: null }).execute()
        else await rows.set({ frozen_at: at.getTime() }).where('frozen_at', 'is', null).execute()
      }),
    async refreshesUnderWay(environmentId, straggler) {
      const now = sql.raw<number>(engine.now)
      const row = await db
        .selectFrom('refreshes')
        .select(each => each.fn.countAll<number>().as('count'))
        .where('environment_id', '=', environmentId)
        .where(each =>
          each.or([
            each.and([each('lease_holder', 'is not', null), each('lease_until', '>', now)]),
            each('mark_at', '>', sql<number>`${now} - ${sql.lit(straggler)}`),
          ]),
        )
        .executeTakeFirstOrThrow()
      return Number(row.count)
    },
    snapshot: (environmentId, read) => engine.snapshot(async of => read(await snapshotOf(of, environmentId))),

    restoreEnvironment: environment =>
      transact(async tx => {
        const rows = await tx
          .selectFrom('environments')
          .select(['id', 'name', 'public_key'])
          .where(each =>
            each.or([
              each('id', '=', environment.id),
              each('name', '=', environment.name),
              each('public_key', '=', environment.publicKey),
            ]),
          )
          .execute()
        const known = rows.find(row => row.id === environment.id)
        if (known) return known.name === environment.name ? 'there' : 'elsewhere'
        const namesake = rows.find(row => row.name === environment.name)
        if (rows.some(row => row.public_key === environment.publicKey && row !== namesake)) return 'key taken'
        if (namesake) {
          if (!(await isEmpty(tx, namesake.id))) return 'name taken'
          await tx.deleteFrom('environments').where('id', '=', namesake.id).execute()
        }
        await tx.insertInto('environments').values(fromEnvironment(environment)).execute()
        return namesake ? 'replaced' : 'new'
      }),
    async restoreEndpoint(endpoint) {
      const added = await db
        .insertInto('webhook_endpoints')
        .values(fromEndpoint(endpoint))
        .onConflict(on => on.doNothing())
        .executeTakeFirstOrThrow()
      return one(added)
    },
    restoreEndUsers: (environmentId, users) =>
      transact(async tx => {
        const there = new Set<string>()
        for await (const batch of batches(users)) {
          for (const id of await insert.people(tx, batch.map(fromEndUser))) there.add(id)
          const ids = batch.map(each => each.id).filter(id => !there.has(id))
          if (ids.length === 0) continue
          const rows = tx.selectFrom('end_users').select('id').where('environment_id', '=', environmentId)
          for (const { id } of await rows.where('id', 'in', ids).execute()) there.add(id)
        }
        return users.map(each => each.id).filter(id => !there.has(id))
      }),
    restoreConnections: (environmentId, rows, judge) =>
      transact(async tx => {
        const became: Restored[] = []
        for await (const batch of batches(rows))
          became.push(...(await restore(tx, insert, environmentId, batch, judge)))
        return became
      }),
    restoreDeleted: (_environmentId, rows) =>
      transact(async tx => {
        for await (const batch of batches(rows))
          await tx
            .insertInto('deleted_connections')
            .values(batch.map(fromDeleted))
            .onConflict(on => on.doNothing())
            .execute()
      }),
  }
}

/** Whether nothing but its own row was ever made of an environment. */
const isEmpty = async (tx: Transaction<Tables>, id: number): Promise<boolean> => {
  const tables = [
    'secret_keys',
    'integrations',
    'end_users',
    'connections',
    'deleted_connections',
    'connect_sessions',
    'attempts',
    'allowed_urls',
    'webhook_endpoints',
    'deliveries',
  ] as const
  for (const table of tables) {
    const rows = tx.selectFrom(table).select('environment_id').where('environment_id', '=', id)
    if (await rows.limit(1).executeTakeFirst()) return false
  }
  return true
}

const peopleColumns = Object.keys({
  environment_id: true,
  id: true,
  username: true,
  full_name: true,
  email: true,
  tags_json: true,
  organization_id: true,
  organization_name: true,
  created_at: true,
  updated_at: true,
} satisfies Record<keyof Tables['end_users'], true>) as (keyof Tables['end_users'])[]

const refreshColumns = Object.keys({
  environment_id: true,
  id: true,
  provider: true,
  due_at: true,
  lease_holder: true,
  lease_fence: true,
  lease_until: true,
  mark_digest: true,
  mark_first_at: true,
  mark_at: true,
  probes: true,
  failures: true,
  failed_at: true,
  wait_until: true,
  restored_revision: true,
} satisfies Record<keyof Tables['refreshes'], true>) as (keyof Tables['refreshes'])[]

/** Passes over a row that another is in the way of, and answers the ids of those that it wrote. */
const whereFree = 'ON CONFLICT DO NOTHING RETURNING id'

/** Inserts rows, all in one statement; answers what that answers. */
const insertInto = <Table extends keyof Tables>(
  engine: Engine,
  table: Table,
  columns: readonly (keyof Tables[Table] & string)[],
  then = '',
) => {
  const inserted = engine.insertRows(table, columns, then)
  return async (tx: Transaction<Tables>, rows: readonly Tables[Table][]): Promise<ReadonlySet<string>> => {
    if (rows.length === 0) return new Set()
    const written = await tx.executeQuery<{ id: string }>(inserted(rows))
    return new Set(written.rows.map(row => row.id))
  }
}

const insertsOf = (engine: Engine) => ({
  connections: insertInto(engine, 'connections', connectionColumns, whereFree),
  refreshes: insertInto(engine, 'refreshes', refreshColumns),
  tags: insertInto(engine, 'connection_tags', ['environment_id', 'name', 'value', 'created_at', 'id']),
  people: insertInto(engine, 'end_users', peopleColumns, whereFree),
})

const restore = async (
  tx: Transaction<Tables>,
  insert: ReturnType<typeof insertsOf>,
  environmentId: number,
  rows: readonly Stored[],
  judge: Parameters<MoveStorage['restoreConnections']>[2],
): Promise<Restored[]> => {
  const read = <Table extends 'connections' | 'deleted_connections'>(table: Table, ids: readonly string[]) =>
    (tx as Kysely<Tables>)
      .selectFrom(table as 'connections')
      .where('environment_id', '=', environmentId)
      .where('id', 'in', ids)
  const ids = rows.map(each => each.connection.id)
  const gone = new Set((await read('deleted_connections', ids).select('id').execute()).map(row => row.id))
  const written = await insert.connections(
    tx,
    rows.flatMap(({ connection, accountKey }) =>
      gone.has(connection.id) ? [] : [fromConnection(connection, accountKey)],
    ),
  )
  const beside = rows.filter(({ connection: { id } }) => written.has(id))
  // What stood in the way of the others: a row of that id, or another.
  const left = ids.filter(id => !written.has(id))
  const found = left.length === 0 ? [] : await read('connections', left).selectAll().execute()
  const refreshes = found.length === 0 ? new Map() : await refreshesOf(tx, environmentId, left)
  const here = new Map(found.map(row => [row.id, toStored(row, refreshes.get(row.id))]))
  await insert.refreshes(
    tx,
    beside.flatMap(each => (each.refresh ? [fromStoredRefresh(each, each.refresh)] : [])),
  )
  const tags = beside.flatMap(({ connection }) => tagRows({ ...connection, createdAt: connection.createdAt.getTime() }))
  for await (const some of batches(tags)) await insert.tags(tx, some)
  const became: Restored[] = []
  for (const given of rows) {
    const { id } = given.connection
    const known = here.get(id)
    if (!known) became.push(written.has(id) ? 'new' : gone.has(id) ? 'deleted' : 'taken')
    else {
      const judged = judge(given, known)
      became.push(judged)
      if (judged === 'write') await writeOver(tx, given)
      if (judged === 'verify')
        await refreshOf(tx, given)
          .set({ restored_revision: null, due_at: dueAt(given) })
          .execute()
    }
  }
  return became
}

const dueAt = (of: Stored): number | null => of.refresh?.dueAt?.getTime() ?? null

const refreshOf = (tx: Transaction<Tables>, { connection }: Stored) =>
  tx.updateTable('refreshes').where('environment_id', '=', connection.environmentId).where('id', '=', connection.id)

const writeOver = async (tx: Transaction<Tables>, given: Stored): Promise<void> => {
  const { environmentId, id } = given.connection
  await tx
    .updateTable('connections')
    .set(fromConnection(given.connection, given.accountKey))
    .where('environment_id', '=', environmentId)
    .where('id', '=', id)
    .execute()
  await tx.deleteFrom('refreshes').where('environment_id', '=', environmentId).where('id', '=', id).execute()
  if (given.refresh) await tx.insertInto('refreshes').values(fromStoredRefresh(given, given.refresh)).execute()
  await writeTags(tx, { ...given.connection, createdAt: given.connection.createdAt.getTime() })
}

const snapshotOf = async (db: Kysely<Tables>, environmentId: number): Promise<Snapshot> => {
  const row = await db.selectFrom('environments').selectAll().where('id', '=', environmentId).executeTakeFirst()
  if (!row) throw new MortiseError('not_found', 'There is no such environment.')
  const count = async (table: 'end_users' | 'connections' | 'deleted_connections') => {
    const rows = db.selectFrom(table).select(each => each.fn.countAll<number>().as('count'))
    return Number((await rows.where('environment_id', '=', environmentId).executeTakeFirstOrThrow()).count)
  }
  const after = <Table extends 'end_users' | 'connections' | 'deleted_connections'>(table: Table, id: string) =>
    db
      .selectFrom(table as 'connections')
      .selectAll()
      .where('environment_id', '=', environmentId)
      .where('id', '>', id)
      .orderBy('id')
      .limit(page)
      .execute() as unknown as Promise<Tables[Table][]>
  return {
    environment: toEnvironment(row),
    counts: {
      endUsers: await count('end_users'),
      connections: await count('connections'),
      deleted: await count('deleted_connections'),
    },
    async allowed() {
      const rows = await db
        .selectFrom('allowed_urls')
        .selectAll()
        .where('environment_id', '=', environmentId)
        .orderBy('kind')
        .orderBy('url')
        .execute()
      return rows.map(({ kind, url }) => ({ kind: kind as 'redirect' | 'origin', url }))
    },
    async keys() {
      const rows = db.selectFrom('secret_keys').selectAll().where('environment_id', '=', environmentId)
      return (await rows.orderBy('id').execute()).map(toSecretKey)
    },
    async integrations() {
      const rows = db.selectFrom('integrations').selectAll().where('environment_id', '=', environmentId)
      return (await rows.orderBy('key').execute()).map(toIntegration)
    },
    async endpoint() {
      const rows = db.selectFrom('webhook_endpoints').selectAll().where('environment_id', '=', environmentId)
      const found = await rows.executeTakeFirst()
      return found && toEndpoint(found)
    },
    async *endUsers() {
      for await (const rows of pages(id => after('end_users', id))) yield rows.map(toEndUser)
    },
    async *connections() {
      for await (const rows of pages(id => after('connections', id))) {
        const refreshes = await refreshesOf(
          db,
          environmentId,
          rows.map(each => each.id),
        )
        yield rows.map(each => toStored(each, refreshes.get(each.id)))
      }
    },
    async *deleted() {
      for await (const rows of pages(id => after('deleted_connections', id))) yield rows.map(toDeleted)
    },
  }
}
