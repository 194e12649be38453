/** Where a campaign plays: a provider that rotates, a database, hubs in processes of their own, and connections. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Sandbox, startSandbox } from '@mortise/sandbox'
import { stringify } from 'yaml'
import { readConfig } from '../../src/config.ts'
import { Secret } from '../../src/core/credential.ts'
import { addIntegration, setHmac } from '../../src/core/setup.ts'
import { openRooms, type Rooms } from '../../src/rooms.ts'
import { Browser, freePorts, later } from '../harness.ts'
import { rotating } from '../pair.ts'
import { type PostgresServer, startPostgres } from '../postgres.ts'
import { type Fleet, startFleet } from './fleet.ts'
import { createLedger, type Ledger } from './ledger.ts'
import type { CampaignOptions } from './options.ts'

/** One connection of the campaign, and what it must be found to be. */
export interface Subject {
  readonly name: string
  /** The row's id. */
  id: string
  /** The approval that was written last. */
  family: number
  /** What its metadata must be. */
  count: number
  /** Somebody is connecting it. */
  busy: boolean
}

export interface Stage {
  readonly ledger: Ledger
  readonly sandbox: Sandbox
  /** The provider as it is while nothing is wrong. */
  readonly calm: () => void
  readonly rooms: Rooms
  readonly fleet: Fleet
  readonly postgres: PostgresServer | undefined
  readonly database: string
  readonly subjects: readonly Subject[]
  readonly read: ReturnType<typeof reader>
  readonly connect: ReturnType<typeof connector>
  close(): Promise<void>
}

/** Reads by HTTP, as an app does. Undefined where the hub does not answer. */
const reader =
  (key: string, ports: () => readonly number[]) =>
  async (
    name: string,
    random: () => number,
    patience = 12_000,
  ): Promise<{ status: number; token: string } | undefined> => {
    const all = ports()
    const port = all[Math.floor(random() * all.length)]
    if (port === undefined) return undefined
    try {
      const response = await fetch(`http://localhost:${port}/connection/${name}?provider_config_key=rotating`, {
        headers: { authorization: `Bearer ${key}` },
        signal: AbortSignal.timeout(patience),
      })
      const body = (await response.json()) as { credentials?: { access_token: string } }
      return { status: response.status, token: body.credentials?.access_token ?? '' }
    } catch {
      return undefined
    }
  }

type StageOptions = Pick<CampaignOptions, 'engine' | 'processes' | 'connections' | 'lifetime' | 'timing'> & {
  readonly lookForDue: number
}

export const openStage = async (options: StageOptions): Promise<Stage> => {
  const { engine, timing } = options
  const folder = mkdtempSync(join(tmpdir(), 'mortise-campaign-'))
  const closing: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })]
  const close = async () => {
    for (const each of closing.reverse()) await each()
  }
  try {
    const postgres = engine === 'postgres' ? await startPostgres() : undefined
    if (postgres) closing.push(() => postgres.close())
    const ledger = createLedger(options.lifetime)
    const sandbox = await startSandbox({ port: 0, expectations: [], watch: ledger.watch })
    closing.push(() => sandbox.close())
    const ports: number[] = []
    while (ports.length < options.processes) ports.push(await freePorts())
    const providers = join(folder, 'providers')
    mkdirSync(providers)
    const here = (url: string) => sandbox.url(url)
    const definition = rotating()
    writeFileSync(
      join(providers, 'rotating.yaml'),
      stringify({
        ...definition,
        authorize: { ...definition.authorize, url: here(definition.authorize.url) },
        token: { ...definition.token, url: here(definition.token.url) },
      }),
    )
    const key = randomBytes(24).toString('hex')
    const env = {
      MORTISE_DATA_DIR: folder,
      MORTISE_DATABASE_URL: postgres ? (await postgres.newDatabase()).url : join(folder, 'mortise.db'),
      MORTISE_ROOT_KEY: randomBytes(32).toString('base64'),
      MORTISE_SECRET_KEY: key,
      MORTISE_PROVIDERS_DIR: providers,
      MORTISE_ALLOWED_HOSTS: new URL(sandbox.origin).host,
      MORTISE_LOG_LEVEL: 'silent',
    }
    const rooms = await openRooms(readConfig(env, 'serve'))
    closing.push(() => rooms.storage.close())
    await addIntegration(rooms.hub.context, rooms.firstEnvironment, {
      key: 'rotating',
      provider: 'rotating',
      clientId: 'client',
      clientSecret: new Secret('client secret'),
    })
    await setHmac(rooms.hub.context, rooms.firstEnvironment, true)
    sandbox.register({
      provider: 'rotating',
      clientId: 'client',
      clientSecret: 'client secret',
      redirectUris: ports.map(port => `http://localhost:${port}/oauth/callback`),
      endpoints: { authorizeUrl: definition.authorize.url, tokenUrl: definition.token.url },
    })
    /** The sandbox as it is while nothing is wrong. */
    const calm = () => {
      sandbox.reset('rotating')
      sandbox.set('rotating', { ...ledger.switches, lifetime: options.lifetime, autoApprove: true })
      ledger.hold(false)
    }
    calm()
    const steps = join(folder, 'steps.jsonl')
    writeFileSync(steps, '')
    const fleet = await startFleet({
      ports,
      env,
      timing,
      lookForDue: options.lookForDue,
      stopFor: timing.lease * 1.3,
      steps,
    })
    closing.push(() => fleet.end())

    const read = reader(key, fleet.ports)
    const connect = connector(rooms, ledger, fleet.ports)
    const subjects: Subject[] = []
    for (let n = 0; n < options.connections; n++) {
      const subject: Subject = { name: `c${n}`, id: '', family: -1, count: 0, busy: false }
      if (!(await connect(subject))) throw new Error(`${subject.name} was not connected:\n${fleet.output()}`)
      subjects.push(subject)
    }

    return {
      ledger,
      sandbox,
      calm,
      rooms,
      fleet,
      postgres,
      database: env.MORTISE_DATABASE_URL,
      subjects,
      read,
      connect,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Runs the flow of an end user, one at a time; true once the hub has said that it is connected. */
const connector = (rooms: Rooms, ledger: Ledger, ports: () => readonly number[]) => {
  /** Every approval that was ever given to a connection. */
  const made = new Map<number, string>()
  let turn: Promise<unknown> = Promise.resolve()
  const connect = async (subject: Subject): Promise<boolean> => {
    const { firstEnvironment, hub, storage } = rooms
    const environment = await hub.context.environmentOf(firstEnvironment.id).catch(() => undefined)
    // The database is away.
    if (!environment) return false
    const hmac = (await hub.hmac(environment, 'rotating', subject.name)) ?? ''
    const query = new URLSearchParams({ connection_id: subject.name, public_key: firstEnvironment.publicKey, hmac })
    for (let tries = 0; tries < 20; tries++) {
      const [port] = [...ports()].sort(() => Math.random() - 0.5)
      const before = ledger.families.length
      const page = await new Browser()
        .follow(`http://localhost:${port}/oauth/connect/rotating?${query}`)
        .then(({ response }) => response.text())
        .catch(() => '')
      const row = await storage.connection(firstEnvironment.id, 'rotating', subject.name).catch(() => undefined)
      if (row) subject.id = row.id
      for (let family = before; family < ledger.families.length; family++) made.set(family, subject.id)
      if (/is connected/.test(page) && row) {
        subject.family = ledger.families.length - 1
        return true
      }
      await later(300)
    }
    return false
  }
  return Object.assign(
    (subject: Subject): Promise<boolean> => {
      const mine = turn.then(() => connect(subject))
      turn = mine.catch(() => {})
      return mine
    },
    { made },
  )
}
