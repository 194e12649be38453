/** The part of the storage port that is about end users, and the tags of connections. */
import type { Transaction } from 'kysely'
import { accountKeyOf } from '../core/connection.ts'
import type { EndUser } from '../core/end-user.ts'
import type { Storage } from '../core/storage.ts'
import type { Tags } from '../core/tags.ts'
import { one } from './credentials.ts'
import type { Engine } from './engine.ts'
import { mustBeOpen } from './open-environment.ts'
import { removeConnections } from './sessions.ts'
import { date, optional, same, type Tables } from './tables.ts'
import type { PeopleTables } from './tables-people.ts'

export const toEndUser = (row: PeopleTables['end_users']): EndUser => ({
  environmentId: row.environment_id,
  id: row.id,
  username: row.username,
  ...optional('fullName', row.full_name, same),
  ...optional('email', row.email, same),
  ...optional('tags', row.tags_json, JSON.parse),
  ...optional('organization', row.organization_id, id => ({ id, ...optional('name', row.organization_name, same) })),
  createdAt: date(row.created_at),
  updatedAt: date(row.updated_at),
})

export const fromEndUser = (user: EndUser): PeopleTables['end_users'] => ({
  environment_id: user.environmentId,
  id: user.id,
  username: user.username,
  full_name: user.fullName ?? null,
  email: user.email ?? null,
  tags_json: user.tags ? JSON.stringify(user.tags) : null,
  organization_id: user.organization?.id ?? null,
  organization_name: user.organization?.name ?? null,
  created_at: user.createdAt.getTime(),
  updated_at: user.updatedAt.getTime(),
})

interface Tagged {
  readonly environmentId: number
  readonly id: string
  /** In milliseconds. */
  readonly createdAt: number
  readonly tags: Tags
}

export const tagRows = ({ environmentId, id, createdAt, tags }: Tagged): PeopleTables['connection_tags'][] =>
  Object.entries(tags).map(([name, value]) => ({
    environment_id: environmentId,
    name,
    value,
    created_at: createdAt,
    id,
  }))

/** Sets the rows of a connection's tags, in the transaction that writes the connection. */
export const writeTags = async (tx: Transaction<Tables>, row: Tagged): Promise<void> => {
  await tx
    .deleteFrom('connection_tags')
    .where('environment_id', '=', row.environmentId)
    .where('id', '=', row.id)
    .execute()
  const rows = tagRows(row)
  if (rows.length > 0) await tx.insertInto('connection_tags').values(rows).execute()
}

type PeopleStorage = Pick<
  Storage,
  | 'addEndUser'
  | 'endUser'
  | 'endUsers'
  | 'updateEndUser'
  | 'tellEndUser'
  | 'deleteEndUser'
  | 'patchConnection'
  | 'sharesAccount'
>

export const peopleStorage = ({ db, transact, shareLocked }: Engine): PeopleStorage => ({
  addEndUser: user =>
    transact(async tx => {
      await mustBeOpen({ shareLocked }, tx, user.environmentId)
      const added = await tx
        .insertInto('end_users')
        .values(fromEndUser(user))
        .onConflict(on => on.doNothing())
        .executeTakeFirstOrThrow()
      return one(added)
    }),
  async endUser(environmentId, by) {
    const rows = db.selectFrom('end_users').selectAll().where('environment_id', '=', environmentId)
    const row = await ('id' in by
      ? rows.where('id', '=', by.id)
      : rows.where('username', '=', by.username)
    ).executeTakeFirst()
    return row && toEndUser(row)
  },
  async endUsers(environmentId) {
    const rows = await db
      .selectFrom('end_users')
      .selectAll()
      .where('environment_id', '=', environmentId)
      .orderBy('created_at')
      .orderBy('id')
      .execute()
    return rows.map(toEndUser)
  },
  updateEndUser: user =>
    transact(async tx => {
      await mustBeOpen({ shareLocked }, tx, user.environmentId)
      const taken = await tx
        .selectFrom('end_users')
        .select('id')
        .where('environment_id', '=', user.environmentId)
        .where('username', '=', user.username)
        .where('id', '!=', user.id)
        .executeTakeFirst()
      if (taken) return false
      const { environment_id: _, id: __, created_at: ___, ...columns } = fromEndUser(user)
      const updated = await tx
        .updateTable('end_users')
        .set(columns)
        .where('environment_id', '=', user.environmentId)
        .where('id', '=', user.id)
        .executeTakeFirstOrThrow()
      return one(updated)
    }),
  tellEndUser: told =>
    transact(async tx => {
      const row = await tx
        .selectFrom('end_users')
        .selectAll()
        .where('environment_id', '=', told.environmentId)
        .where('username', '=', told.username)
        .executeTakeFirst()
      if (!row) {
        await mustBeOpen({ shareLocked }, tx, told.environmentId)
        await tx.insertInto('end_users').values(fromEndUser(told)).execute()
        return told
      }
      const known = toEndUser(row)
      const { id, createdAt, updatedAt } = known
      const next = { ...known, ...told, id, createdAt, updatedAt }
      if (JSON.stringify(fromEndUser(next)) === JSON.stringify(fromEndUser(known))) return known
      await mustBeOpen({ shareLocked }, tx, told.environmentId)
      const changed = { ...next, updatedAt: told.updatedAt }
      await tx
        .updateTable('end_users')
        .set(fromEndUser(changed))
        .where('environment_id', '=', told.environmentId)
        .where('id', '=', id)
        .execute()
      return changed
    }),
  deleteEndUser: (environmentId, id, at) =>
    transact(async tx => {
      await mustBeOpen({ shareLocked }, tx, environmentId)
      const removed = await tx
        .deleteFrom('end_users')
        .where('environment_id', '=', environmentId)
        .where('id', '=', id)
        .executeTakeFirstOrThrow()
      if (!one(removed)) return false
      await removeConnections(tx, environmentId, { endUserId: id }, at)
      await tx
        .deleteFrom('connect_sessions')
        .where('environment_id', '=', environmentId)
        .where('end_user_id', '=', id)
        .execute()
      return true
    }),

  async sharesAccount({ environmentId, id, integrationKey, account }, of) {
    const ref = accountKeyOf(account)
    if (account === undefined || ref === undefined) return false
    // As `accountKeyOf` writes it: the account, and then perhaps the person.
    const start = JSON.stringify([account.id]).slice(0, -1)
    const others = db
      .selectFrom('connections')
      .select('id')
      .where('environment_id', '=', environmentId)
      .where('integration_key', '=', integrationKey)
      .where('id', '!=', id)
      .where(({ eb, fn, val, or }) =>
        of === 'person'
          ? eb('account_ref', '=', ref)
          : or([
              eb('account_ref', 'is', null),
              eb(fn<string>('substr', ['account_ref', val(1), val([...start].length)]), '=', start),
            ]),
      )
    return (await others.limit(1).executeTakeFirst()) !== undefined
  },
  patchConnection: (environmentId, id, change, at) =>
    transact(async tx => {
      await mustBeOpen({ shareLocked }, tx, environmentId)
      const row = await tx
        .selectFrom('connections')
        .select(['created_at', 'integration_key', 'end_user_id', 'account_key'])
        .where('environment_id', '=', environmentId)
        .where('id', '=', id)
        .executeTakeFirst()
      if (!row) return false
      const moved = change.endUserId !== undefined && change.endUserId !== row.end_user_id
      const other =
        moved && row.account_key !== null
          ? await tx
              .selectFrom('connections')
              .select('id')
              .where('environment_id', '=', environmentId)
              .where('integration_key', '=', row.integration_key)
              .where('end_user_id', '=', change.endUserId ?? '')
              .where('account_key', '=', row.account_key)
              .executeTakeFirst()
          : undefined
      await tx
        .updateTable('connections')
        .set({
          ...(change.endUserId === undefined ? {} : { end_user_id: change.endUserId }),
          ...(other ? { account_key: null } : {}),
          ...(change.tags === undefined ? {} : { tags_json: JSON.stringify(change.tags) }),
          ...(change.webhookUrlOverride === undefined ? {} : { webhook_url_override: change.webhookUrlOverride }),
          updated_at: at.getTime(),
        })
        .where('environment_id', '=', environmentId)
        .where('id', '=', id)
        .execute()
      if (change.tags) await writeTags(tx, { environmentId, id, createdAt: row.created_at, tags: change.tags })
      return true
    }),
})
