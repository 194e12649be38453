/**
 * The part of the storage port that lists connections. A page is found along one index that holds the order of the list
 * whole; only then are its rows read, and of those nothing that is sealed. What comes before a page by number is passed
 * over in the index alone, and little of it where the page before it was just read, or where it is counted.
 */
import {
  type Expression,
  type ExpressionBuilder,
  expressionBuilder,
  type Kysely,
  type SelectQueryBuilder,
  type SqlBool,
  sql,
} from 'kysely'
import type { Cursor, ListFilter, Storage } from '../core/storage.ts'
import { createCounts } from './counts.ts'
import type { Engine } from './engine.ts'
import { toEndUser } from './people.ts'
import type { Places } from './places.ts'
import { listColumns, optional, type Tables, toListed } from './tables.ts'

type Filtered = Omit<ListFilter, 'tags'>

/** Of this many integrations each is read along its own index; of more, all connections are looked through. */
const merged = 50

/** How many rows are passed over rather than counted. */
const near = 10_000

/** A search that finds no more is answered from the ids that it may find; one that finds more is full soon, along the list. */
const few = 1000

/** In ASCII without regard to case, on both engines. */
const has = (column: string, text: string): Expression<SqlBool> =>
  sql`lower(${sql.ref(column)}) LIKE ${`%${text.replace(/[A-Z]/g, letter => letter.toLowerCase()).replace(/[\\%_]/g, '\\$&')}%`} ESCAPE '\\'`

/** What is asked of the row itself; `among`: of few rows, so that the person of each is looked at, and no others. */
const asked =
  (
    db: Kysely<Tables>,
    environmentId: number,
    { connectionId, endUserId, integrationKeys, ...of }: Filtered,
    among = false,
  ) =>
  (each: ExpressionBuilder<Tables, 'connections'>): Expression<SqlBool> => {
    const all: Expression<SqlBool>[] = []
    const people = db
      .selectFrom('end_users')
      .select('end_users.id')
      .where('end_users.environment_id', '=', environmentId)
    if (connectionId !== undefined) all.push(each('connections.connection_id', '=', connectionId))
    if (endUserId !== undefined) all.push(each('connections.end_user_id', '=', endUserId))
    if (integrationKeys) all.push(each('connections.integration_key', 'in', [...integrationKeys]))
    if (of.organizationId !== undefined)
      all.push(each('connections.end_user_id', 'in', people.where('organization_id', '=', of.organizationId)))
    const { search } = of
    if (search !== undefined) {
      const called = people.where(person =>
        person.or(['username', 'full_name', 'email'].map(column => has(`end_users.${column}`, search))),
      )
      const theirs = among
        ? each.exists(called.where(equal('end_users.id', 'connections.end_user_id')))
        : each('connections.end_user_id', 'in', called)
      all.push(each.or([has('connections.connection_id', search), theirs]))
    }
    return each.and(all)
  }

const isEmpty = (filter: Filtered): boolean => Object.values(filter).every(value => value === undefined)

const equal = (a: string, b: string): Expression<SqlBool> => sql`${sql.ref(a)} = ${sql.ref(b)}`

/** Where a page begins: after that place, if any, and so many rows more. */
interface Begin {
  readonly after?: Cursor
  readonly skip?: number
}

/** The rows that a page is among, where not all are. */
export interface Among {
  readonly ids: readonly string[]
  readonly elements: Engine['elements']
}

/**
 * The place in the list of each that is asked for: among those that are known, or along the tags where there are any and
 * nothing narrower, else along the rows.
 */
const found = (
  db: Kysely<Tables>,
  environmentId: number,
  filter: ListFilter,
  { after, skip, limit }: Begin & { readonly limit: number },
  among?: Among,
) => {
  const paged = <DB, Table extends keyof DB>(rows: SelectQueryBuilder<DB, Table, { created_at: number; id: string }>) =>
    rows
      .orderBy(sql.ref('created_at'), 'desc')
      .orderBy(sql.ref('id'), 'desc')
      .limit(limit)
      .offset(skip ?? 0)
      .as('page')
  const { tags = {}, ...rest } = filter
  const tagsAsked = Object.entries(tags)
  const [first, ...more] = tagsAsked
  const before = after && ([after.createdAt.getTime(), after.id] as const)
  const tagged = (table: 'connections' | 'connection_tags', [name, value]: readonly [string, string]) =>
    db
      .selectFrom('connection_tags as tag')
      .select('tag.id')
      .where('tag.environment_id', '=', environmentId)
      .where('tag.name', '=', name)
      .where('tag.value', '=', value)
      .where(equal('tag.created_at', `${table}.created_at`))
      .where(equal('tag.id', `${table}.id`))

  /** Of connections: all that is asked of one. */
  const wanted = (own: Filtered): Expression<SqlBool> => {
    const each = expressionBuilder<Tables, 'connections'>()
    const place = each.refTuple('connections.created_at', 'connections.id')
    return each.and([
      each('connections.environment_id', '=', environmentId),
      ...(isEmpty(own) ? [] : [asked(db, environmentId, own, among !== undefined)(each)]),
      ...(before ? [each(place, '<', each.tuple(...before))] : []),
      ...tagsAsked.map(tag => each.exists(tagged('connections', tag))),
    ])
  }

  if (among) {
    const ids = JSON.stringify([...new Set(among.ids)])
    const rows = db
      .selectFrom(sql<{ value: string }>`(SELECT value FROM ${sql.raw(among.elements)}(${ids}))`.as('known'))
      .crossJoin('connections')
      .select(['connections.created_at as created_at', 'connections.id as id'])
      .where(equal('connections.id', 'known.value'))
      .where(wanted(rest))
    return paged(rows)
  }

  const narrow = rest.connectionId !== undefined || rest.endUserId !== undefined
  const { organizationId, ...without } = rest
  if (organizationId !== undefined && !narrow) {
    // Each of its people, and what is theirs: sorted afterwards, and never more than are of that organization. A cross
    // join is made in the order that it is written in.
    const rows = db
      .selectFrom('end_users')
      .crossJoin('connections')
      .select(['connections.created_at as created_at', 'connections.id as id'])
      .where('end_users.environment_id', '=', environmentId)
      .where('end_users.organization_id', '=', organizationId)
      .where(equal('connections.end_user_id', 'end_users.id'))
      .where(wanted(without))
    return paged(rows)
  }

  if (first && !narrow) {
    let rows = db
      .selectFrom('connection_tags')
      .select(['connection_tags.created_at', 'connection_tags.id'])
      .where('connection_tags.environment_id', '=', environmentId)
      .where('connection_tags.name', '=', first[0])
      .where('connection_tags.value', '=', first[1])
    if (before) rows = rows.where(each => each(each.refTuple('created_at', 'id'), '<', each.tuple(...before)))
    for (const tag of more) rows = rows.where(each => each.exists(tagged('connection_tags', tag)))
    if (isEmpty(rest)) return paged(rows)
    const its = db
      .selectFrom('connections')
      .select('connections.id')
      .where('connections.environment_id', '=', environmentId)
      .where(equal('connections.id', 'connection_tags.id'))
      .where(asked(db, environmentId, rest))
    return paged(rows.where(each => each.exists(its)))
  }

  const along = (own: Filtered) =>
    db.selectFrom('connections').select(['connections.created_at', 'connections.id']).where(wanted(own))
  const { integrationKeys: keys, ...own } = rest
  if (!keys || keys.length > merged || !isEmpty(own)) return paged(along(rest))
  // Each in order already, so that both engines merge them and stop at the end of the page.
  const [one = '', ...others] = keys
  const each = (key: string) => along({ integrationKeys: [key] })
  return paged(others.reduce((rows, key) => rows.unionAll(each(key)), each(one)))
}

/** The statement of a page. */
export const pageOf = (
  db: Kysely<Tables>,
  environmentId: number,
  filter: ListFilter,
  page: Begin & { readonly limit: number },
  among?: Among,
) => {
  return db
    .selectFrom(found(db, environmentId, filter, page, among))
    .innerJoin('connections', join =>
      join.on('connections.environment_id', '=', environmentId).onRef('connections.id', '=', 'page.id'),
    )
    .leftJoin('end_users', join =>
      join.on('end_users.environment_id', '=', environmentId).onRef('end_users.id', '=', 'connections.end_user_id'),
    )
    .select(listColumns)
    .select(each => each.case().when('connections.renewal_part', 'is', null).then(0).else(1).end().as('renewable'))
    .select([
      'end_users.username',
      'end_users.full_name',
      'end_users.email',
      'end_users.tags_json as user_tags',
      'end_users.organization_id',
      'end_users.organization_name',
      'end_users.created_at as user_created',
      'end_users.updated_at as user_updated',
    ])
    .orderBy('page.created_at', 'desc')
    .orderBy('page.id', 'desc')
}

/** The statement of which are the newest: of each, whether the index of its end user has a later one. */
export const newestOf = (db: Kysely<Tables>, ...[environmentId, ids, of]: Parameters<Storage['newest']>) => {
  const later = db
    .selectFrom('connections as later')
    .select('later.id')
    .where('later.environment_id', '=', environmentId)
    .where(equal('later.end_user_id', 'connections.end_user_id'))
    .where(sql<SqlBool>`(later.created_at, later.id) > (connections.created_at, connections.id)`)
    // As an expression, so that no engine looks through all of an integration for the few that are later.
    .where(sql<SqlBool>`later.integration_key || '' = connections.integration_key`)
  const proven = <Row extends Expression<unknown>>(trust: Row) => sql<SqlBool>`${trust} <> 'public'`
  const rows = db
    .selectFrom('connections')
    .select('connections.id')
    .where('connections.environment_id', '=', environmentId)
    .where('connections.id', 'in', [...ids])
  if (of === 'all') return rows.where(each => each.not(each.exists(later)))
  return rows
    .where(proven(sql.ref('connections.trust')))
    .where(each => each.not(each.exists(later.where(proven(sql.ref('later.trust'))))))
}

export const listStorage = (
  engine: Engine,
  places: Places,
): Pick<Storage, 'listConnections' | 'sweepCounts' | 'newest'> => {
  const { db } = engine
  const countTo = createCounts(engine)
  const beginOf = async (environmentId: number, filter: ListFilter, skip: number): Promise<Begin> => {
    const after = skip > 0 ? places.at(environmentId, filter, skip) : undefined
    if (after) return { after }
    const { integrationKeys, tags = {}, ...rest } = filter
    const [key, ...more] = integrationKeys ?? []
    const counted = skip >= near && more.length === 0 && isEmpty(rest) && Object.keys(tags).length === 0
    return (counted ? await countTo(environmentId, key, skip) : undefined) ?? { skip }
  }
  return {
    async listConnections(environmentId, filter, page) {
      const { integrationKeys, search } = filter
      if (integrationKeys?.length === 0) return []
      const { limit, after, skip = 0 } = page
      const note = places.reading()
      const begin = after ? { after } : await beginOf(environmentId, filter, skip)
      const ids = search === undefined ? undefined : await engine.candidates?.(environmentId, search, few + 1)
      if (ids?.length === 0) return []
      const among = ids && ids.length <= few ? { ids, elements: engine.elements } : undefined
      const rows = await pageOf(db, environmentId, filter, { limit, ...begin }, among).execute()
      const listed = rows.map(row => ({
        ...toListed(row),
        renewable: row.renewable === 1,
        ...optional('endUser', row.username, username =>
          toEndUser({
            environment_id: row.environment_id,
            id: row.end_user_id,
            username,
            full_name: row.full_name,
            email: row.email,
            tags_json: row.user_tags,
            organization_id: row.organization_id,
            organization_name: row.organization_name,
            created_at: row.user_created ?? 0,
            updated_at: row.user_updated ?? 0,
          }),
        ),
      }))
      const last = listed.at(-1)
      if (last && rows.length === limit && (skip > 0 || !after)) note(environmentId, filter, skip + limit, last)
      return listed
    },
    async sweepCounts() {
      await engine.addNotes?.()
    },
    async newest(environmentId, ids, of) {
      if (ids.length === 0) return new Set()
      const rows = await newestOf(db, environmentId, ids, of).execute()
      return new Set(rows.map(row => row.id))
    },
  }
}
