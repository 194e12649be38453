/** The part of the storage port that is about refreshes. */
import { type ExpressionBuilder, type Kysely, type RawBuilder, sql } from 'kysely'
import type { RefreshClaim, RefreshEnd, RefreshLease, RefreshState, RefreshStorage } from '../core/storage-refresh.ts'
import type { Engine } from './engine.ts'
import { date, optional, same, type Tables } from './tables.ts'
import type { RefreshTables } from './tables-refreshes.ts'

type Row = RefreshTables['refreshes']

/** `now` as the database has it, in milliseconds. */
const toState = (row: Omit<Row, 'due_at' | 'provider'>, now: number): RefreshState => ({
  held: isHeld(row, now),
  ...(row.mark_digest === null || row.mark_at === null || row.mark_first_at === null
    ? {}
    : {
        mark: {
          digest: row.mark_digest,
          firstAge: now - row.mark_first_at,
          age: now - row.mark_at,
          probes: row.probes,
        },
      }),
  failures: row.failures,
  ...optional('failedAt', row.failed_at, date),
  ...optional('waitUntil', row.wait_until, date),
  ...optional('restoredRevision', row.restored_revision, same),
})

const isHeld = (row: Pick<Row, 'lease_until' | 'lease_holder'>, now: number): boolean =>
  row.lease_holder !== null && row.lease_until > now

/**
 * Within the caller's transaction: a new credential is refreshed from `dueAt` on. Failures of the one before do not count;
 * a mark stays, because it names the token that it is about.
 */
export const renewRefreshes = async (
  tx: Kysely<Tables>,
  connection: {
    readonly environmentId: number
    readonly id: string
    readonly provider: string
    readonly renewal?: Uint8Array
  },
  dueAt: Date | undefined,
): Promise<void> => {
  if (connection.renewal === undefined) {
    const rows = tx.deleteFrom('refreshes').where('environment_id', '=', connection.environmentId)
    await rows.where('id', '=', connection.id).execute()
    return
  }
  const fresh = { due_at: dueAt?.getTime() ?? null, failures: 0, failed_at: null, wait_until: null }
  await tx
    .insertInto('refreshes')
    .values({
      environment_id: connection.environmentId,
      id: connection.id,
      provider: connection.provider,
      ...fresh,
      lease_holder: null,
      lease_fence: 0,
      lease_until: 0,
      mark_digest: null,
      mark_first_at: null,
      mark_at: null,
      probes: 0,
      restored_revision: null,
    })
    .onConflict(on => on.columns(['environment_id', 'id']).doUpdateSet(fresh))
    .execute()
}

const frozenOnes = (db: Kysely<Tables>) => db.selectFrom('environments').select('id').where('frozen_at', 'is not', null)

export const refreshStorage = (engine: Engine): RefreshStorage => {
  const { db } = engine
  const now: RawBuilder<number> = sql.raw(engine.now)
  const of = (lease: Pick<RefreshLease, 'environmentId' | 'id'>) =>
    db.updateTable('refreshes').where('environment_id', '=', lease.environmentId).where('id', '=', lease.id)
  const ours = (lease: RefreshLease) =>
    of(lease).where('lease_holder', '=', lease.holder).where('lease_fence', '=', lease.fence)
  /** Its environment is not frozen. */
  const isOpen = (columns: ExpressionBuilder<Tables, 'refreshes'>) =>
    columns('environment_id', 'not in', frozenOnes(db))
  const done = async (change: { executeTakeFirstOrThrow(): Promise<{ numUpdatedRows: bigint }> }) =>
    (await change.executeTakeFirstOrThrow()).numUpdatedRows === 1n

  return {
    async refreshState(environmentId, id) {
      const row = await db
        .selectFrom('refreshes')
        .innerJoin('connections', on =>
          on
            .onRef('connections.environment_id', '=', 'refreshes.environment_id')
            .onRef('connections.id', '=', 'refreshes.id'),
        )
        .selectAll('refreshes')
        .innerJoin('environments', 'environments.id', 'refreshes.environment_id')
        .select(['connections.credential_revision', 'environments.frozen_at', now.as('now')])
        .where('refreshes.environment_id', '=', environmentId)
        .where('refreshes.id', '=', id)
        .executeTakeFirst()
      return (
        row && {
          ...toState(row, row.now),
          revision: row.credential_revision,
          ...(row.frozen_at === null ? {} : { frozen: true as const }),
        }
      )
    },
    async leaseRefresh(environmentId, id, holder, ttl) {
      const row = await of({ environmentId, id })
        .set(columns => ({
          lease_holder: holder,
          lease_fence: columns('lease_fence', '+', 1),
          lease_until: sql<number>`${now} + ${ttl}`,
        }))
        // Held no longer than a lease can be: where the database's clock was set back, it would seem to be.
        .where(columns =>
          columns.or([
            columns('lease_until', '<=', now),
            columns('lease_until', '>', sql<number>`${now} + ${ttl}`),
            columns('lease_holder', 'is', null),
          ]),
        )
        .where(isOpen)
        .returningAll()
        .returning(now.as('now'))
        .executeTakeFirst()
      return (
        row && {
          lease: { environmentId, id, holder, fence: row.lease_fence },
          state: toState(row, row.now),
          now: row.now,
        }
      )
    },
    extendLease: (lease, ttl) => done(ours(lease).set({ lease_until: sql<number>`${now} + ${ttl}` })),
    markRefresh: (lease, digest, probe) =>
      done(
        ours(lease)
          .set({
            mark_digest: digest,
            mark_first_at: sql<number>`CASE WHEN mark_digest = ${digest} THEN mark_first_at ELSE ${now} END`,
            mark_at: now,
            probes: sql<number>`CASE WHEN mark_digest = ${digest} THEN probes ELSE 0 END + ${sql.lit(probe ? 1 : 0)}`,
          })
          .where(isOpen)
          .where('lease_until', '>', now),
      ),
    endRefresh: (lease, end) => done(ours(lease).set(ended(end))),
    async claimRefreshes(at, until, limit, except) {
      const due = (from: Kysely<Tables>) => {
        const rows = from
          .selectFrom('refreshes')
          .select(['environment_id', 'id', 'due_at'])
          .where('due_at', '<=', at.getTime())
          .where(isOpen)
        const asked = except.length === 0 ? rows : rows.where('provider', 'not in', [...except])
        return asked.orderBy('due_at').limit(limit)
      }
      // Mostly there is nothing, and nothing to lock or to begin.
      if ((await due(db).execute()).length === 0) return []
      return db
        .transaction()
        .setIsolationLevel('read committed')
        .execute(async tx => {
          const found = await engine.skipLocked(due(tx)).execute()
          if (found.length === 0) return []
          // One environment's at a time, so that each statement stays with one shard.
          const byEnvironment = Map.groupBy(found, each => each.environment_id)
          const claimed: RefreshClaim[] = []
          for (const [environmentId, rows] of byEnvironment) {
            const moved = await tx
              .updateTable('refreshes')
              .set({ due_at: until.getTime() })
              .where('environment_id', '=', environmentId)
              .where(
                'id',
                'in',
                rows.map(each => each.id),
              )
              .where('due_at', '<=', at.getTime())
              .returning(['id', 'provider'])
              .execute()
            const dueAt = new Map(rows.map(each => [each.id, new Date(each.due_at ?? 0)]))
            claimed.push(...moved.map(each => ({ environmentId, ...each, dueAt: dueAt.get(each.id) ?? at })))
          }
          return claimed
        })
    },
    async anyRefreshDue(at) {
      const due = db.selectFrom('refreshes').select('id').where('due_at', '<=', at.getTime()).where(isOpen).limit(1)
      return (await due.executeTakeFirst()) !== undefined
    },
    async setRefreshDue(environmentId, id, dueAt) {
      await of({ environmentId, id })
        .set({ due_at: dueAt?.getTime() ?? null })
        .execute()
    },
  }
}

const ended = (end: RefreshEnd): Partial<Row> => ({
  lease_holder: null,
  lease_until: 0,
  ...(end.settled ? { mark_digest: null, mark_first_at: null, mark_at: null, probes: 0 } : {}),
  ...(end.tries
    ? {
        failures: end.tries.failures,
        failed_at: end.tries.failedAt?.getTime() ?? null,
        wait_until: end.tries.waitUntil?.getTime() ?? null,
      }
    : {}),
  ...(end.dueAt === undefined ? {} : { due_at: end.dueAt?.getTime() ?? null }),
})
