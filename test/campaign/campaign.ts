/** One campaign on one engine. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startSandbox } from '@mortise/sandbox'
import { stringify } from 'yaml'
import { readConfig } from '../../src/config.ts'
import type { Connection } from '../../src/core/connection.ts'
import { Secret } from '../../src/core/credential.ts'
import { addIntegration, setHmac } from '../../src/core/setup.ts'
import { openRooms, type Rooms } from '../../src/main.ts'
import { Browser, freePorts } from '../harness.ts'
import { rotating } from '../pair.ts'
import { startPostgres } from '../postgres.ts'
import { chaos } from './chaos.ts'
import { startFleet } from './fleet.ts'
import { attemptsOf, faultsOf, isAmbiguous } from './judge.ts'
import { createLedger, type Ledger } from './ledger.ts'
import { type CampaignOptions, chance } from './options.ts'

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

export interface Report {
  readonly violations: string[]
  readonly lines: string[]
}

const later = (ms: number): Promise<void> => new Promise(done => setTimeout(done, ms))

/** Reads by HTTP, as an app does. Undefined where the hub does not answer. */
const reader =
  (key: string, ports: () => readonly number[]) =>
  async (name: string, random: () => number): Promise<{ status: number; token: string } | undefined> => {
    const all = ports()
    const port = all[Math.floor(random() * all.length)]
    if (port === undefined) return undefined
    try {
      const response = await fetch(`http://localhost:${port}/connection/${name}?provider_config_key=rotating`, {
        headers: { authorization: `Bearer ${key}` },
        signal: AbortSignal.timeout(12_000),
      })
      const body = (await response.json()) as { credentials?: { access_token: string } }
      return { status: response.status, token: body.credentials?.access_token ?? '' }
    } catch {
      return undefined
    }
  }

export const campaign = async (options: CampaignOptions, progress: (line: string) => void): Promise<Report> => {
  const { engine, timing } = options
  const folder = mkdtempSync(join(tmpdir(), 'mortise-campaign-'))
  const closing: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })]
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
    const fleet = await startFleet({ ports, env, timing, lookForDue: 250, stopFor: timing.lease * 1.3, steps })
    closing.push(() => fleet.end())

    const random = chance(options.seed)
    const read = reader(key, fleet.ports)
    const connect = connector(rooms, ledger, fleet.ports)
    const subjects: Subject[] = []
    for (let n = 0; n < options.connections; n++) {
      const subject: Subject = { name: `c${n}`, id: '', family: -1, count: 0, busy: false }
      if (!(await connect(subject))) throw new Error(`${subject.name} was not connected:\n${fleet.output()}`)
      subjects.push(subject)
    }
    progress(`${subjects.length} connections`)

    const violations = new Set<string>()
    const counts = { reads: 0, served: 0, dead: 0, flagged: 0, reconnected: 0, metadata: 0 }
    const row = (subject: Subject) =>
      rooms.storage.connection(rooms.firstEnvironment.id, 'rotating', subject.name).catch(() => undefined)
    /** A dead one must say why, and be right. */
    const inquest = (subject: Subject, found: Connection) => {
      counts.flagged++
      const evidence = { steps: fleet.steps(), gaps: fleet.gaps, timing }
      const attempts = attemptsOf(evidence.steps).get(subject.id) ?? []
      const spent = [...ledger.tokens.values()]
        .filter(each => each.family === subject.family)
        .flatMap(each => (each.uses.some(use => use.outcome === 'invalid_refresh_token') ? each.uses : []))
        .filter(use => use.outcome === 'ok')
      const proven = spent.some(use => isAmbiguous(use, attempts, evidence))
      if (found.statusCause !== 'refresh_ambiguous' || !proven)
        violations.add(
          `false flag: ${subject.id} was flagged ${found.statusCause}${proven ? '' : ', and nothing was lost'}`,
        )
    }
    const repair = async (subject: Subject): Promise<void> => {
      if (subject.busy) return
      subject.busy = true
      try {
        const found = await row(subject)
        if (found?.status !== 'reauthorization_required') return
        inquest(subject, found)
        if (await connect(subject)) counts.reconnected++
      } finally {
        subject.busy = false
      }
    }

    let over = false
    const pick = () => subjects[Math.floor(Math.random() * subjects.length)] as Subject
    const readers = Array.from({ length: 8 }, async () => {
      while (!over) {
        const subject = pick()
        const answer = await read(subject.name, Math.random)
        counts.reads++
        if (answer?.status === 200) counts.served++
        if (answer?.status === 400) await repair(subject)
        await later(Math.random() * 40)
      }
    })
    // What is set beside a refresh must not be lost in it, and an end user may come back in the middle of one.
    const writer = (async () => {
      while (!over) {
        const subject = pick()
        const count = subject.count + 1
        const set = await rooms.storage
          .setMetadata(rooms.firstEnvironment.id, subject.id, { count }, 'merge', new Date())
          .catch(() => undefined)
        if (set) {
          subject.count = count
          counts.metadata++
        }
        if (!subject.busy && Math.random() < 0.05) {
          subject.busy = true
          if (await connect(subject)) counts.reconnected++
          subject.busy = false
        }
        await later(Math.random() * 60)
      }
    })()
    const trouble = chaos({
      options,
      fleet,
      sandbox,
      ledger,
      calm,
      postgres,
      database: env.MORTISE_DATABASE_URL,
      random,
    })

    const began = Date.now()
    let told = began
    const enough = () => ledger.counts.refreshed >= options.expiries && trouble.missed().length === 0
    while (!enough() && Date.now() - began < options.atMost) {
      await later(100)
      if (Date.now() - told < 10_000) continue
      told = Date.now()
      progress(
        `${ledger.counts.refreshed} of ${options.expiries} renewed, ${counts.flagged} flagged, ${trouble.count()} faults`,
      )
    }
    const reached = ledger.counts.refreshed
    await trouble.stop()
    calm()
    over = true
    await Promise.all([...readers, writer])

    // Quiet now: whatever was begun ends, and what is ambiguous is decided.
    await later(timing.call + timing.lease + timing.straggler)
    for (const subject of subjects) {
      const deadline = Date.now() + 40_000
      for (;;) {
        const answer = await read(subject.name, random)
        const known = answer && ledger.access(answer.token)
        if (answer?.status === 200 && known) {
          if (known.family !== subject.family)
            violations.add(`lost write: ${subject.id} holds an approval that another had replaced`)
          if (known.endsAt <= Date.now() || ledger.families[known.family]?.dead) {
            if (Date.now() > deadline) {
              violations.add(`dead: ${subject.id} is served a token that is dead`)
              break
            }
          } else break
        } else if (answer?.status === 400) {
          const found = await row(subject)
          if (found?.status === 'reauthorization_required') inquest(subject, found)
          else violations.add(`dead: ${subject.id} answers 400 and is not flagged`)
          break
        } else if (Date.now() > deadline) {
          violations.add(`dead: ${subject.id} still answers ${answer?.status ?? 'nothing'}`)
          break
        }
        await later(200)
      }
      const found = await row(subject)
      if (found && found.metadata['count'] !== undefined && Number(found.metadata['count']) < subject.count)
        violations.add(
          `lost write: ${subject.id} has metadata ${found.metadata['count']}, and ${subject.count} was set`,
        )
    }
    const evidence = { steps: fleet.steps(), gaps: fleet.gaps, timing }
    const attempts = attemptsOf(evidence.steps)
    for (const token of ledger.tokens.values()) {
      const id = connect.made.get(token.family) ?? ''
      for (const fault of faultsOf(id, token, attempts.get(id) ?? [], evidence)) violations.add(fault)
    }
    for (const missed of trouble.missed()) violations.add(`too short: nothing was ever ${missed}`)
    if (reached < options.expiries)
      violations.add(`too slow: ${reached} of ${options.expiries} tokens were renewed in ${options.atMost / 1000} s`)
    if (fleet.output().includes('ended by itself')) violations.add(`a hub ended by itself:\n${fleet.output()}`)

    return {
      violations: [...violations],
      lines: [
        `${engine}: ${reached} tokens renewed by ${ledger.counts.calls} calls in ${Math.round((Date.now() - began) / 1000)} s`,
        `  ${counts.reads} reads, ${counts.served} answered with a token; metadata set ${counts.metadata} times; connected again ${counts.reconnected} times`,
        `  faults: ${trouble.tally()}`,
        `  ${ledger.counts.reused} spent tokens presented again, ${counts.flagged} connections flagged`,
        `  double spends: ${[...violations].filter(each => each.startsWith('double spend')).length}, dead without proof: ${[...violations].filter(each => /^(dead|false flag)/.test(each)).length}, lost writes: ${[...violations].filter(each => each.startsWith('lost write')).length}`,
      ],
    }
  } finally {
    for (const close of closing.reverse()) await close()
  }
}

/** Runs the flow of an end user, one at a time; true once the hub has said that it is connected. */
const connector = (rooms: Rooms, ledger: Ledger, ports: () => readonly number[]) => {
  /** Every approval that was ever given to a connection. */
  const made = new Map<number, string>()
  let turn: Promise<unknown> = Promise.resolve()
  const connect = async (subject: Subject): Promise<boolean> => {
    const { firstEnvironment, hub, storage } = rooms
    const hmac = (await hub.hmac(await hub.context.environmentOf(firstEnvironment.id), 'rotating', subject.name)) ?? ''
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
