/** Hubs between which environments are moved: each on a database of its own, under a root key of its own. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { readConfig } from '../src/config.ts'
import type { Connection } from '../src/core/connection.ts'
import { Secret } from '../src/core/credential.ts'
import type { Environment } from '../src/core/environment.ts'
import { newId } from '../src/core/ids.ts'
import { checkExport, exportEnvironment, type Imported, importEnvironment } from '../src/core/move.ts'
import { sealCredential } from '../src/core/sealed.ts'
import { addEnvironment, addIntegration } from '../src/core/setup.ts'
import type { Stored } from '../src/core/storage-move.ts'
import { openRooms, type Rooms } from '../src/rooms.ts'
import { tempFolder } from './harness.ts'

export type Settings = Readonly<Record<string, string>>

/** Settings of a new hub. */
export const newSettings = (t: Pick<TestContext, 'after'>, database?: string): Settings => {
  const dataDir = tempFolder(t)
  return {
    MORTISE_DATA_DIR: dataDir,
    MORTISE_DATABASE_URL: database ?? join(dataDir, 'mortise.db'),
    MORTISE_ROOT_KEY: randomBytes(32).toString('base64'),
    MORTISE_LOG_LEVEL: 'silent',
  }
}

/** Its rooms, as a command opens them; closed when the test ends. */
export const open = async (t: Pick<TestContext, 'after'>, settings: Settings): Promise<Rooms> => {
  const rooms = await openRooms(readConfig(settings, 'command'))
  t.after(() => rooms.storage.close())
  return rooms
}

export const secretOf = (index: number) => ({ access: `access-${index}`, refresh: `refresh-${index}` })

/** A connection with a credential of its own, as `Storage.restoreConnections` takes it. */
export const stored = async (
  { hub }: Rooms,
  environment: Environment,
  index: number,
  over: Partial<Connection> = {},
): Promise<Stored> => {
  const sealer = await hub.context.sealerOf(environment.id)
  const now = new Date(1_800_000_000_000 + index)
  const id = over.id ?? newId(now)
  const { access, refresh } = secretOf(index)
  const raw = { access_token: access, refresh_token: refresh, index }
  const credential = {
    kind: 'oauth2' as const,
    accessToken: new Secret(access),
    refreshToken: new Secret(refresh),
    raw: new Secret(raw),
  }
  return {
    connection: {
      environmentId: environment.id,
      number: 1000 + index,
      id,
      integrationKey: 'github',
      provider: 'github',
      connectionId: `c${index}`,
      endUserId: '',
      kind: 'oauth2',
      trust: 'proven',
      status: 'connected',
      ...sealCredential(sealer, id, credential, 'refresh_token'),
      expiresAt: new Date(now.getTime() + 3_600_000),
      obtainedAt: now,
      credentialRevision: 1,
      config: {},
      metadata: { index },
      tags: { plan: 'pro' },
      facts: {},
      createdAt: now,
      updatedAt: now,
      ...over,
    },
    accountKey: `account ${index}`,
    refresh: { dueAt: new Date(now.getTime() + 3_000_000), probes: 0, failures: 0 },
  }
}

/** An environment `acme` with an integration and so many connections `c0`, `c1`, … */
export const fill = async (rooms: Rooms, count: number): Promise<Environment> => {
  const environment = await addEnvironment(rooms.hub.context, 'acme')
  await addIntegration(rooms.hub.context, environment, {
    key: 'github',
    provider: 'github',
    clientId: 'client',
    clientSecret: new Secret('client secret'),
  })
  const rows: Stored[] = []
  for (let index = 0; index < count; index++) rows.push(await stored(rooms, environment, index))
  await rooms.storage.restoreConnections(environment.id, rows, () => 'leave')
  return environment
}

export const exported = async (rooms: Rooms, environment: Pick<Environment, 'id'>): Promise<string[]> => {
  const lines: string[] = []
  const push = async (text: string) => void lines.push(text)
  await exportEnvironment(rooms.hub.context, environment, { line: push, end: push }, () => {})
  await checkExport(from(lines))
  return lines
}

export async function* from(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines
}

export const imported = (rooms: Rooms, lines: readonly string[], name?: string): Promise<Imported> =>
  importEnvironment(rooms.hub.context, from(lines), { told: () => {}, ...(name === undefined ? {} : { name }) })
