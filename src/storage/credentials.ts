/** The part of the storage port that changes a connection that is there: its credential, its status, its metadata. */
import type { JsonObject } from '../core/credential.ts'
import type { Storage } from '../core/storage.ts'
import type { Engine } from './engine.ts'
import { mustBeOpen } from './open-environment.ts'
import { credentialColumns } from './tables.ts'
import { addDeliveries } from './webhooks.ts'

/** Whether a statement changed its one row. */
export const one = (result: {
  numUpdatedRows?: bigint
  numDeletedRows?: bigint
  numInsertedOrUpdatedRows?: bigint | undefined
}) => (result.numUpdatedRows ?? result.numDeletedRows ?? result.numInsertedOrUpdatedRows ?? 0n) === 1n

type CredentialStorage = Pick<
  Storage,
  'swapCredential' | 'noteChecked' | 'flagConnection' | 'setMetadata' | 'noteExpiry'
>

export const credentialStorage = ({ db, transact, shareLocked }: Engine): CredentialStorage => {
  const of = (environmentId: number, id: string) =>
    db.updateTable('connections').where('environment_id', '=', environmentId).where('id', '=', id)
  return {
    async swapCredential(environmentId, id, from, next) {
      const swapped = await of(environmentId, id)
        .set({
          ...credentialColumns(next),
          credential_revision: from + 1,
          status: 'connected',
          status_reason: null,
          status_cause: null,
          updated_at: next.obtainedAt.getTime(),
        })
        .where('credential_revision', '=', from)
        .executeTakeFirstOrThrow()
      return one(swapped)
    },
    async noteChecked(environmentId, id, revision, at) {
      await of(environmentId, id)
        .set({ checked_at: at.getTime() })
        .where('credential_revision', '=', revision)
        .execute()
    },
    setMetadata: (environmentId, id, metadata, how, at) =>
      transact(async tx => {
        await mustBeOpen({ shareLocked }, tx, environmentId)
        const row = await tx
          .selectFrom('connections')
          .select('metadata_json')
          .where('environment_id', '=', environmentId)
          .where('id', '=', id)
          .executeTakeFirst()
        if (!row) return undefined
        const next: JsonObject = how === 'set' ? metadata : { ...JSON.parse(row.metadata_json), ...metadata }
        await tx
          .updateTable('connections')
          .set({ metadata_json: JSON.stringify(next), updated_at: at.getTime() })
          .where('environment_id', '=', environmentId)
          .where('id', '=', id)
          .execute()
        return next
      }),
    async noteExpiry(environmentId, id, revision, expiresAt) {
      await of(environmentId, id)
        .set({ expires_at: expiresAt.getTime() })
        .where('credential_revision', '=', revision)
        .execute()
    },
    flagConnection: (environmentId, id, from, { cause, message }, at, events = []) =>
      transact(async tx => {
        const row = await tx
          .selectFrom('connections')
          .select('status')
          .where('environment_id', '=', environmentId)
          .where('id', '=', id)
          .executeTakeFirst()
        const flagged = await tx
          .updateTable('connections')
          .set({
            status: 'reauthorization_required',
            status_reason: message,
            status_cause: cause,
            updated_at: at.getTime(),
          })
          .where('environment_id', '=', environmentId)
          .where('id', '=', id)
          .where('credential_revision', '=', from)
          .executeTakeFirstOrThrow()
        if (one(flagged) && row?.status === 'connected') await addDeliveries(tx, environmentId, events)
        return one(flagged)
      }),
  }
}
