/**
 * An environment as lines of JSON, and back: exported, frozen first where it moves, and restored with every id that it had.
 * What the lines are written to is nothing that is known here. docs/backup-and-move.md says what is promised.
 */
import type { Context } from './context.ts'
import type { JsonObject } from './credential.ts'
import type { Environment } from './environment.ts'
import { MortiseError } from './errors.ts'
import { frozen } from './frozen.ts'
import { fromRecord, toRecord } from './move-record.ts'
import type { Place, Sealer } from './ports.ts'
import { checkEnvironmentName } from './setup.ts'
import type { Judged, Restored, Snapshot, Stored } from './storage-move.ts'

/** Moves with a change that an older version cannot read. */
const format = 1
/** Rows written in one transaction. */
const batch = 1000
/** Milliseconds between looks for refreshes under way. */
const look = 200
/** Those that could not be restored are named, up to so many. */
const mostNamed = 20

export type Counts = Snapshot['counts']

/** Called now and then with how many rows are done, of how many. */
export type Told = (done: number, total: number) => void

const sum = (counts: Counts): number => counts.endUsers + counts.connections + counts.deleted

/**
 * Freezes an environment, in all processes at once, and waits until what was under way has landed. `waiting`: called again
 * and again with how many refreshes it waits for.
 */
export const freezeEnvironment = async (
  { storage, clock, timing }: Context,
  environment: Pick<Environment, 'id'>,
  waiting: (refreshes: number) => void,
): Promise<void> => {
  await storage.setFrozen(environment.id, clock.now())
  // An answer may be written as long after its call as this; what is not there then is lost, and its mark says so.
  const straggler = timing.call + timing.straggler + timing.landing
  for (;;) {
    const count = await storage.refreshesUnderWay(environment.id, straggler)
    if (count === 0) return
    waiting(count)
    await new Promise(again => setTimeout(again, look))
  }
}

export const unfreezeEnvironment = ({ storage }: Context, environment: Pick<Environment, 'id'>): Promise<void> =>
  storage.setFrozen(environment.id, undefined)

/** A kind, its record, and of a connection its account's key and how its refreshes stand. */
type Line = readonly [kind: string, record: JsonObject, accountKey?: string | null, refresh?: JsonObject | null]

/**
 * Gives everything of an environment to `line`, as of one moment; the last one to `end`. One that is frozen is moved: its
 * connections are restored as they are, and otherwise as copies of whom nobody knows what became.
 */
export const exportEnvironment = (
  context: Context,
  environment: Pick<Environment, 'id'>,
  to: { line(text: string): Promise<void>; end(text: string): Promise<void> },
  told: Told,
): Promise<{ readonly counts: Counts; readonly moved: boolean }> =>
  context.storage.snapshot(environment.id, async snapshot => {
    const { id } = environment
    const sealer = await context.sealerOf(id)
    const write = (...line: Line) => to.line(JSON.stringify(line))
    const moved = snapshot.environment.frozenAt !== undefined
    await write('archive', { format, moved, madeAt: context.clock.now().getTime(), counts: { ...snapshot.counts } })
    await write('environment', toRecord('environment', snapshot.environment, sealer, id))
    for (const each of await snapshot.allowed())
      await write('allowed', toRecord('allowed', { environmentId: id, ...each }, sealer, id))
    for (const each of await snapshot.keys()) await write('key', toRecord('key', each, sealer, id))
    for (const each of await snapshot.integrations())
      await write('integration', toRecord('integration', each, sealer, id))
    const endpoint = await snapshot.endpoint()
    if (endpoint) {
      const { previous, ...rest } = endpoint
      const flat = { ...rest, ...(previous && { previousSecret: previous.secret, previousUntil: previous.until }) }
      await write('endpoint', toRecord('endpoint', flat, sealer, id))
    }
    const wrote = { endUsers: 0, connections: 0, deleted: 0 }
    const page = (rows: number) => told(rows, sum(snapshot.counts))
    for await (const rows of snapshot.endUsers()) {
      for (const each of rows) await write('endUser', toRecord('endUser', each, sealer, id))
      wrote.endUsers += rows.length
      page(sum(wrote))
    }
    for await (const rows of snapshot.connections()) {
      for (const { connection, accountKey, refresh } of rows)
        await write(
          'connection',
          toRecord('connection', connection, sealer, id),
          accountKey ?? null,
          refresh ? toRecord('refresh', refresh, sealer, id) : null,
        )
      wrote.connections += rows.length
      page(sum(wrote))
    }
    for await (const rows of snapshot.deleted()) {
      for (const each of rows) await write('deleted', toRecord('deleted', each, sealer, id))
      wrote.deleted += rows.length
      page(sum(wrote))
    }
    await to.end(JSON.stringify(['end', wrote]))
    return { counts: wrote, moved }
  })

/** What the first lines of an export say. */
export interface Heading {
  readonly moved: boolean
  readonly madeAt: Date
  readonly counts: Counts
  readonly environment: JsonObject
}

const malformed = (): MortiseError => new MortiseError('invalid_request', 'The file holds no whole export.')

const parse = (text: string): Line => {
  const line: unknown = JSON.parse(text)
  if (Array.isArray(line) && typeof line[0] === 'string' && typeof line[1] === 'object') return line as unknown as Line
  throw malformed()
}

const readHeading = (archive: Line | undefined, environment: Line | undefined): Heading => {
  const [kind, about] = archive ?? []
  if (kind !== 'archive' || !about || environment?.[0] !== 'environment') throw malformed()
  if (about['format'] !== format)
    throw new MortiseError('invalid_request', 'A newer Mortise made this file. Import it with that version.')
  return {
    moved: about['moved'] === true,
    madeAt: new Date(Number(about['madeAt'])),
    counts: about['counts'] as unknown as Counts,
    environment: environment[1],
  }
}

/** Reads an export to its end and writes nothing. Throws `invalid_request` where it is not whole. */
export const checkExport = async (lines: AsyncIterable<string>): Promise<Heading> => {
  const first: Line[] = []
  const counts: Record<string, number> = {}
  let end: JsonObject | undefined
  for await (const text of lines) {
    if (end) throw malformed()
    // The lines are as they were written, or reading them throws: to count them, their kind alone is looked at.
    const kind = /^\["(\w+)",\{/.exec(text)?.[1]
    if (kind === undefined) throw malformed()
    if (first.length < 2) first.push(parse(text))
    counts[kind] = (counts[kind] ?? 0) + 1
    if (kind === 'end') end = parse(text)[1]
  }
  const heading = readHeading(first[0], first[1])
  const told = ['endUser', 'connection', 'deleted'].map(kind => counts[kind] ?? 0)
  if (!end || told.some((count, at) => count !== [end?.['endUsers'], end?.['connections'], end?.['deleted']][at]))
    throw malformed()
  return heading
}

export interface Imported {
  readonly environment: Environment
  readonly moved: boolean
  /** An empty environment of that name gave way to it. */
  readonly replaced: boolean
  /** What became of the connections. */
  readonly became: Readonly<Record<Restored, number>>
  /** What could not be restored, in words: some, where there are many. */
  readonly conflicts: readonly string[]
  readonly conflictCount: number
  /** Providers that have no definition here. */
  readonly unknownProviders: readonly string[]
}

/**
 * Restores an export, in transactions of some hundred rows: what is there already stays, so it may be run again, wherever
 * it was stopped. `name`: what the environment is to be called here. Throws `conflict` where it has no place here, before
 * anything is written.
 */
export const importEnvironment = async (
  context: Context,
  lines: AsyncIterable<string>,
  { name, told }: { readonly name?: string; readonly told: Told },
): Promise<Imported> => {
  const { storage } = context
  const each = lines[Symbol.asyncIterator]()
  const next = async () => {
    const { value, done } = await each.next()
    return done ? undefined : parse(value)
  }
  const heading = readHeading(await next(), await next())
  const { environment, replaced } = await placeEnvironment(context, heading.environment, name)
  const { id } = environment
  const sealer = await context.sealerOf(id)
  const became = { new: 0, leave: 0, write: 0, verify: 0, deleted: 0, conflict: 0, taken: 0 }
  const conflicts: string[] = []
  const unknownProviders = new Set<string>()
  const [total, keys] = [sum(heading.counts), await storage.keys()]
  let [conflictCount, done] = [0, 0]
  const conflict = (what: string) => {
    conflictCount++
    if (conflicts.length < mostNamed) conflicts.push(what)
  }
  let waiting: Line[] = []
  /** What the storage was given last: while it writes, the next rows are sealed. */
  let writing: Promise<void> = Promise.resolve()
  /** Writes those that wait, which are all of one kind, after those before. */
  const flush = async (): Promise<void> => {
    const rows = waiting
    waiting = []
    const write = prepare(rows)
    await writing
    writing = write().then(() => {
      done += rows.length
      told(done, total)
    })
    // Whoever waits for it is told; until then nobody has to listen.
    writing.catch(() => {})
  }
  const prepare = (rows: readonly Line[]): (() => Promise<void>) => {
    const kind = rows[0]?.[0]
    if (kind === 'endUser') {
      const users = rows.map(([, record]) => fromRecord('endUser', record, sealer, id))
      return async () => {
        const taken = new Set(await storage.restoreEndUsers(id, users))
        for (const user of users)
          if (taken.has(user.id)) conflict(`the end user "${user.username}" (${user.id}): another has that name here`)
      }
    }
    if (kind === 'deleted') {
      const gone = rows.map(([, record]) => fromRecord('deleted', record, sealer, id))
      return () => storage.restoreDeleted(id, gone)
    }
    const stored = rows.map(line => toStored(line, heading.moved, sealer, id))
    const records = new Map(rows.map(([, record]) => [String(record['id']), record]))
    return async () => {
      const results = await storage.restoreConnections(id, stored, (given, here) =>
        judge(given, here, records.get(given.connection.id) ?? {}, sealer),
      )
      for (const [at, result] of results.entries()) {
        became[result]++
        const row = stored[at]?.connection
        if (row && (result === 'conflict' || result === 'taken'))
          conflict(
            `the connection "${row.connectionId}" through ${row.integrationKey} (${row.id}): ${result === 'taken' ? 'another one has its name, its number or its account here' : 'here it has another credential'}`,
          )
      }
    }
  }
  for (let line = await next(); line && line[0] !== 'end'; line = await next()) {
    const [kind, record] = line
    if (kind === 'endUser' || kind === 'connection' || kind === 'deleted') {
      if (waiting.length >= batch || (waiting[0] && waiting[0][0] !== kind)) await flush()
      waiting.push(line)
    } else if (kind === 'allowed') {
      const { kind: list, url } = fromRecord('allowed', record, sealer, id)
      await storage.allow(id, list, url)
    } else if (kind === 'key') {
      const key = fromRecord('key', record, sealer, id)
      const known = keys.find(one => one.environmentId === id && one.id === key.id)
      if (!known) await storage.addKey(key)
      else if (known.hash !== key.hash) conflict(`the secret key "${key.name}" (${key.id}): here it is another one`)
    } else if (kind === 'integration') {
      const integration = fromRecord('integration', record, sealer, id)
      if (!context.catalogue.get(integration.provider)) unknownProviders.add(integration.provider)
      if (await storage.addIntegration(integration)) continue
      const known = await storage.integration(id, integration.key)
      if (known?.id !== integration.id)
        throw new MortiseError(
          'conflict',
          `The environment "${environment.name}" has another integration "${integration.key}". Import into an environment that has none: with --env and a new name.`,
        )
    } else if (kind === 'endpoint') {
      const { previousSecret, previousUntil, ...rest } = fromRecord('endpoint', record, sealer, id)
      const previous = previousSecret && previousUntil && { secret: previousSecret, until: previousUntil }
      await storage.restoreEndpoint({ ...rest, ...(previous ? { previous } : {}) })
    } else throw new MortiseError('invalid_request', `The file holds a "${kind}", which this Mortise does not know.`)
  }
  await flush()
  await writing
  return {
    environment,
    moved: heading.moved,
    replaced,
    became,
    conflicts,
    conflictCount,
    unknownProviders: [...unknownProviders],
  }
}

/** The environment that is restored, with its own id. Throws `conflict` where it has no place here. */
const placeEnvironment = async (
  context: Context,
  record: JsonObject,
  name: string | undefined,
): Promise<{ readonly environment: Environment; readonly replaced: boolean }> => {
  const id = Number(record['id'])
  const wrappedKey = context.seal.newKey(id)
  const moved = fromRecord('environment', record, context.seal.environment(id, wrappedKey), id)
  if (name !== undefined) checkEnvironmentName(name)
  const environment: Environment = { ...moved, wrappedKey, name: name ?? moved.name }
  const placed = await context.storage.restoreEnvironment(environment)
  const refuse = (why: string) => new MortiseError('conflict', why)
  if (placed === 'name taken')
    throw refuse(
      `There is another environment "${environment.name}" here, and it is not empty. Import under another name: --env NAME`,
    )
  if (placed === 'key taken') throw refuse('Another environment here has its public key. Import into another hub.')
  if (placed === 'elsewhere') {
    const { name: known } = await context.environmentOf(id)
    throw refuse(
      `The environment of this file is here already, as "${known}"; a hub has it once. Import with --env ${known}`,
    )
  }
  const written = await context.environmentOf(id)
  if (written.frozenAt) throw frozen(written)
  return { environment: written, replaced: placed === 'replaced' }
}

const toStored = ([, record, accountKey, refreshed]: Line, moved: boolean, sealer: Sealer, id: number): Stored => {
  const connection = fromRecord('connection', record, sealer, id)
  const stored = { connection, ...(typeof accountKey === 'string' ? { accountKey } : {}) }
  if (!refreshed) return stored
  const refresh = fromRecord('refresh', refreshed, sealer, id)
  if (moved) return { ...stored, refresh }
  // A copy. It is not refreshed before somebody reads it: to try a backup out shall not end what it is a backup of.
  const { dueAt: _, ...rest } = refresh
  return { ...stored, refresh: { ...rest, restoredRevision: connection.credentialRevision } }
}

/** `record`: of the given one, with its credential as text. */
const judge = (given: Stored, here: Stored, record: JsonObject, sealer: Sealer): Judged => {
  const [a, b] = [given.connection, here.connection]
  if (a.integrationKey !== b.integrationKey || a.connectionId !== b.connectionId || a.number !== b.number)
    return 'conflict'
  const isCopy = here.refresh?.restoredRevision === b.credentialRevision
  if (b.credentialRevision > a.credentialRevision) return 'leave'
  // A copy that nobody has used gives way to a newer one.
  if (b.credentialRevision < a.credentialRevision) return isCopy ? 'write' : 'conflict'
  const open = (field: 'access' | 'renewal') => {
    const place: Place = ['connections', b.id, field]
    const blob = b[field]
    return blob && sealer.open(place, blob)
  }
  if (open('access') !== record['access'] || open('renewal') !== record['renewal']) return 'conflict'
  return isCopy && given.refresh?.restoredRevision === undefined ? 'verify' : 'leave'
}
