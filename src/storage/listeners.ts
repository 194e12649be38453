/** The part of the storage port that is about pages which wait to be told how an attempt ended. */
import type { Storage } from '../core/storage.ts'
import type { Engine } from './engine.ts'
import { optional, same } from './tables.ts'

export const listenerStorage = ({ db }: Pick<Engine, 'db'>): Pick<Storage, 'untold' | 'noteTold'> => ({
  async untold(listeners) {
    if (listeners.length === 0) return []
    const rows = await db
      .selectFrom('attempts')
      .select(['environment_id', 'state_hash', 'integration_key', 'connection_id', 'listener', 'outcome_json'])
      .where('listener', 'in', listeners)
      .where('told_at', 'is', null)
      .where('outcome_json', 'is not', null)
      .orderBy('created_at')
      .execute()
    return rows.map(row => ({
      environmentId: row.environment_id,
      stateHash: row.state_hash,
      integrationKey: row.integration_key,
      ...optional('connectionId', row.connection_id, same),
      listener: row.listener ?? '',
      outcome: JSON.parse(row.outcome_json ?? ''),
    }))
  },
  async noteTold(environmentId, stateHash, at) {
    await db
      .updateTable('attempts')
      .set({ told_at: at.getTime() })
      .where('environment_id', '=', environmentId)
      .where('state_hash', '=', stateHash)
      .execute()
  },
})
