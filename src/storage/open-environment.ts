import type { Transaction } from 'kysely'
import { frozen } from '../core/frozen.ts'
import type { Engine } from './engine.ts'
import { type Tables, toEnvironment } from './tables.ts'

/**
 * Within a transaction that is to change an environment's connections or end users: throws where it is frozen, and keeps it
 * from being frozen until the transaction ends. So what it writes is seen by whoever reads the environment after freezing it.
 */
export const mustBeOpen = async (
  { shareLocked }: Pick<Engine, 'shareLocked'>,
  tx: Transaction<Tables>,
  environmentId: number,
): Promise<void> => {
  const rows = tx.selectFrom('environments').selectAll().where('id', '=', environmentId)
  const row = await shareLocked(rows).executeTakeFirst()
  if (row?.frozen_at != null) throw frozen(toEnvironment(row))
}
