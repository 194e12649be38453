/** What the figures share: the built bundle, a folder of their own, a real Postgres, a provider, hubs and helpers. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePorts } from '../test/harness.ts'
import { missing, type PostgresServer, postgresBin, startPostgres } from '../test/postgres.ts'
import { type Child, ended, startChild } from './child.ts'
import type { Load, Loaded } from './load.ts'
import type { Ask, Told } from './provider.ts'
import type { Seed } from './seed.ts'

const root = fileURLToPath(new URL('../', import.meta.url))

/** The core of the servers that are compared, with their load; and that of all others: Postgres, the provider, the bench. */
export const [ownCore, otherCore] = ['0', '1']

/** A hub's database with the settings that open it, and a key that may read connections and their credentials. */
export interface Place {
  readonly settings: Readonly<Record<string, string>>
  /** A file of SQLite, or the URL of a Postgres database. */
  readonly database: string
  readonly headers: string
}

export interface Filled {
  readonly place: Place
  readonly environmentId: number
}

export interface RunningHub {
  readonly pid: number
  readonly port: number
  /** Milliseconds from the start of the process until /ready answered. */
  readonly readyAfter: number
  stop(): Promise<void>
}

export interface World {
  readonly quick: boolean
  say(line: string): void
  /** Where files of the bench are; it goes with it. */
  readonly folder: string
  /** Runs a command of the bundle on a place; answers what it prints. */
  mortise(place: Pick<Place, 'settings'>, args: readonly string[], input?: string): string
  /** A database that is set up by the bundle's own commands: an integration and a key. */
  place(engine: Engine): Promise<Place>
  /** Fills it with connections that are fresh for a day; answers the number of its environment. */
  seed(place: Place, prefix: string, count: number): Promise<number>
  /** The first so many of them have expired, and are due one after the other, so many in a second; or all at once. */
  makeDue(place: Place, prefix: string, count: number, perSecond?: number): Promise<void>
  /** A place with so many connections `c…`, made once for all figures: they stay as they are. */
  filled(engine: Engine, count: number): Promise<Filled>
  /** A new place with so many, which are tagged and are of people in organizations. */
  owned(engine: Engine, count: number): Promise<Filled>
  startHub(place: Place, options?: HubOptions): Promise<RunningHub>
  child<A, B>(file: string, core: string): Child<A, B>
  readonly load: Child<Load, Loaded>
  /** The provider's token endpoint. */
  readonly tokenUrl: string
  readonly provider: Child<Ask, Told>
  postgres(): Promise<PostgresServer>
  /** Why there is none, in a sentence. */
  readonly noPostgres: string | undefined
  close(): Promise<void>
}

export type Engine = 'SQLite' | 'Postgres'

export interface HubOptions {
  readonly core?: string
  /** The clone's own start guard, in place of the bundle's. */
  readonly fromSource?: boolean
}

export const engines = (world: World): Engine[] =>
  world.noPostgres === undefined ? ['SQLite', 'Postgres'] : ['SQLite']

/** Milliseconds that the provider takes to answer. */
export const providerDelay = 20

export const openWorld = async (quick: boolean, say: (line: string) => void): Promise<World> => {
  const folder = mkdtempSync(join(tmpdir(), 'mortise-bench-'))
  // What is started without a core of its own, Postgres too, inherits this one.
  execFileSync('taskset', ['-acp', otherCore, String(process.pid)], { stdio: 'ignore' })
  const bundle = join(folder, 'dist')
  execFileSync(process.execPath, [join(root, 'bin/build.ts'), bundle], { stdio: ['ignore', 'ignore', 'inherit'] })
  const children: Child<never, unknown>[] = []
  const hubs = new Set<ChildProcess>()
  const child = <A, B>(file: string, core: string): Child<A, B> => {
    const started = startChild<A, B>(file, core)
    children.push(started as Child<never, unknown>)
    return started
  }
  const provider = child<Ask, Told>('provider.ts', otherCore)
  const told = await provider.ask({ start: { delay: providerDelay } })
  const providers = providersFolder(folder, told.port)
  const shared = {
    MORTISE_ROOT_KEY: randomBytes(32).toString('base64'),
    MORTISE_PROVIDERS_DIR: providers.folder,
    MORTISE_ALLOWED_HOSTS: providers.host,
  }
  // Where no hub answers, so that a command that asks one first never meets another hub of this machine.
  const nobody = String(await freePorts())
  let server: Promise<PostgresServer> | undefined
  const postgres = () => {
    server ??= startPostgres({ fsync: 'on', max_connections: '300' })
    return server
  }
  let places = 0
  const filled = new Map<string, Promise<Filled>>()
  const psql = postgresBin === undefined ? {} : { psql: join(postgresBin, 'psql') }
  const seeded = async (what: Seed): Promise<number> => {
    const seeder = startChild<Seed, number>('seed.ts', `${ownCore},${otherCore}`)
    try {
      return await seeder.ask(what)
    } finally {
      await seeder.stop()
    }
  }
  // A killed bench leaves no hub behind.
  process.once('exit', () => {
    for (const hub of hubs) hub.kill('SIGKILL')
  })
  const world: World = {
    quick,
    say,
    folder,
    mortise: ({ settings }, args, input = '') =>
      execFileSync(
        'taskset',
        ['-c', `${ownCore},${otherCore}`, process.execPath, join(bundle, 'mortise.js'), ...args],
        {
          env: environment({ ...settings, MORTISE_PORT: nobody }),
          input,
          encoding: 'utf8',
          stdio: ['pipe', 'pipe', 'ignore'],
        },
      ).trim(),
    child,
    load: child('load.ts', ownCore),
    postgres,
    noPostgres: missing,
    provider,
    tokenUrl: `http://${providers.host}/token`,
    async place(engine) {
      const dataDir = join(folder, `data-${++places}`)
      const database =
        engine === 'Postgres' ? (await (await postgres()).newDatabase()).url : join(dataDir, 'mortise.db')
      const settings = { ...shared, MORTISE_DATA_DIR: dataDir, MORTISE_DATABASE_URL: database }
      const mortise = (args: readonly string[], input = '') => world.mortise({ settings }, args, input)
      mortise(['integrations', 'add', 'bench', '--client-id', 'of-the-bench'], 'a secret\n')
      const key = mortise([
        'key',
        'create',
        '--scope',
        'connections:read',
        '--scope',
        'credentials:read',
        '--scope',
        'proxy',
      ])
      return { settings, database, headers: `Host: 127.0.0.1\r\nAuthorization: Bearer ${key}` }
    },
    seed: ({ settings }, prefix, count) => seeded({ settings, prefix, count, ...psql }),
    async makeDue({ settings }, prefix, count, perSecond = Number.MAX_SAFE_INTEGER) {
      await seeded({ settings, prefix, count, duePerSecond: perSecond })
    },
    filled(engine, count) {
      const name = `${engine} ${count}`
      const fill = async () => {
        say(`${engine}: sealing ${count} connections`)
        const place = await world.place(engine)
        return { place, environmentId: await world.seed(place, 'c', count) }
      }
      const known = filled.get(name) ?? fill()
      filled.set(name, known)
      return known
    },
    async owned(engine, count) {
      say(`${engine}: sealing ${count} connections of people`)
      const place = await world.place(engine)
      const environmentId = await seeded({ settings: place.settings, prefix: 'c', count, owned: true, ...psql })
      return { place, environmentId }
    },
    async startHub({ settings }, { core = ownCore, fromSource = false } = {}) {
      const port = await freePorts()
      const log = join(folder, `hub-${port}.log`)
      const program = fromSource ? join(root, 'bin/mortise.js') : join(bundle, 'mortise.js')
      const to = openSync(log, 'a')
      const began = performance.now()
      const hub = spawn('taskset', ['-c', core, process.execPath, program, 'serve'], {
        env: environment({ ...settings, MORTISE_PORT: String(port) }),
        stdio: ['ignore', to, to],
      })
      hubs.add(hub)
      hub.once('exit', () => hubs.delete(hub))
      while (!(await isReady(port))) {
        if (hub.exitCode !== null) throw new Error(`The hub ended:\n${readFileSync(log, 'utf8').slice(-2000)}`)
        await new Promise(again => setTimeout(again, 2))
      }
      return { pid: hub.pid ?? 0, port, readyAfter: performance.now() - began, stop: () => ended(hub, 'SIGTERM') }
    },
    async close() {
      for (const hub of hubs) await ended(hub, 'SIGTERM')
      for (const each of children) await each.stop()
      await (await server)?.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return world
}

/** This process's environment without any of Mortise's settings, and with those given. */
const environment = (settings: Readonly<Record<string, string>>): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('MORTISE_'))),
  ...settings,
})

const isReady = async (port: number): Promise<boolean> => {
  const answer = await fetch(`http://127.0.0.1:${port}/ready`).catch(() => undefined)
  await answer?.arrayBuffer()
  return answer?.ok === true
}

/** A folder with the definition of the bench's provider. */
const providersFolder = (folder: string, port: number): { readonly folder: string; readonly host: string } => {
  const origin = `http://127.0.0.1:${port}`
  const definition = {
    name: 'Bench',
    docs: ['https://www.rfc-editor.org/rfc/rfc6749'],
    auth: 'oauth2',
    api: { base: origin },
    authorize: { url: `${origin}/authorize`, scopes: { default: [] } },
    token: { url: `${origin}/token`, client: 'basic' },
    refresh: { rotates: true },
  }
  mkdirSync(join(folder, 'providers'))
  // JSON is YAML, too.
  writeFileSync(join(folder, 'providers', 'bench.yaml'), JSON.stringify(definition))
  return { folder: join(folder, 'providers'), host: `127.0.0.1:${port}` }
}
