/** One read, on each engine, beside a bare server that answers the same bytes and beside the driver's own select. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { postgresBin } from '../../test/postgres.ts'
import type { Same } from '../bare.ts'
import type { Child } from '../child.ts'
import type { Select, Selected } from '../driver.ts'
import { type Figure, type Line, perSecond } from '../figure.ts'
import { type Candidate, rotate } from '../rounds.ts'
import { type Engine, ownCore, type Place, type RunningHub, type World } from '../world.ts'

/** Connections that are read from. */
export const countOf = ({ quick }: World): number => (quick ? 20_000 : 100_000)
export const concurrency = 64

/** The two shapes of the read: the vendor's present one, and the one before it. */
const paths = [
  ['/connections/', '?provider_config_key=bench'],
  ['/connection/', '?provider_config_key=bench'],
] as const
export type Path = readonly [before: string, after: string]

export const ask = async (hub: RunningHub, { headers }: Place, path: Path, id: string) => {
  const [, authorization = ''] = /Authorization: (.*)/.exec(headers) ?? []
  return fetch(`http://127.0.0.1:${hub.port}${path[0]}${id}${path[1]}`, { headers: { authorization } })
}

/** Those that the hub serves. Each answer is checked once, to its token. */
export const served = async (hub: RunningHub, place: Place, id = 'c0000000') => {
  const found: { path: Path; same: Same }[] = []
  for (const path of paths) {
    const answer = await ask(hub, place, path, id)
    const body = await answer.text()
    // The page of that address stands there where the route does not.
    if (!answer.headers.get('content-type')?.includes('json')) continue
    if (answer.status !== 200 || !body.includes('"access_token":"bench-at-'))
      throw new Error(`${path[0]} answered ${answer.status}: ${body.slice(0, 300)}`)
    found.push({ path, same: { body, type: answer.headers.get('content-type') ?? '' } })
  }
  return found
}

/** A hub, or a bare server, as a candidate. */
export const loaded = (
  world: World,
  name: string,
  { port, pid }: { port: number; pid: number },
  { headers }: Place,
  path: Path,
  ids: number,
): Candidate => ({
  name,
  run: milliseconds =>
    world.load.ask({ port, pid, path, headers, prefix: 'c', count: ids, sockets: concurrency, milliseconds }),
})

/** pgbench's own point select of 100,000 rows, in a database of its own. */
const pgbench = async (world: World): Promise<Candidate> => {
  const server = await world.postgres()
  const { name } = await server.newDatabase()
  const run = (...args: string[]) =>
    promisify(execFile)('taskset', ['-c', ownCore, join(postgresBin ?? '', 'pgbench'), ...args, '-U', 'owner', name], {
      env: {
        ...process.env,
        PGHOST: '127.0.0.1',
        PGPORT: String(server.port),
        PGPASSWORD: server.password,
        // As the hub's own URL asks for none.
        PGSSLMODE: 'disable',
      },
    })
  await run('-i', '-q', '-s', '1')
  return {
    name: 'pgbench',
    async run() {
      // So much work, not so much time: its connections take most of a second, which counts as time but not as rate.
      const work = ['-c', String(concurrency), '-t', '300']
      const { stdout } = await run('-S', '-n', '-M', 'prepared', ...work)
      const rate = Number(/^tps = ([\d.]+)/m.exec(stdout)?.[1])
      if (!(rate > 0)) throw new Error(`pgbench printed:\n${stdout}`)
      return { perSecond: rate }
    },
  }
}

const figure = (engine: Engine, atLeast: number): Figure => ({
  name: `read-${engine.toLowerCase()}`,
  help: `Read of a connection on ${engine}, ${concurrency} at a time, of 100 thousand.`,
  async run(world) {
    const count = countOf(world)
    const { place, environmentId } = await world.filled(engine, count)
    const hub = await world.startHub(place)
    const driver: Child<Select, Selected> = world.child('driver.ts', ownCore)
    const candidates: Candidate[] = [
      {
        name: 'driver',
        run: milliseconds => driver.ask({ database: place.database, environmentId, prefix: 'c', count, milliseconds }),
      },
    ]
    if (engine === 'Postgres') candidates.push(await pgbench(world))
    const reads = await served(hub, place)
    const bares: Child<Same, number>[] = []
    for (const { path, same } of reads) {
      const bare: Child<Same, number> = world.child('bare.ts', ownCore)
      bares.push(bare)
      const at = { pid: bare.pid, port: await bare.ask(same) }
      candidates.push(loaded(world, `hub ${path[0]}`, hub, place, path, count))
      candidates.push(loaded(world, `bare ${path[0]}`, at, place, path, count))
    }
    const rounds = await rotate(world, `read on ${engine}`, candidates, world.quick ? 3 : 9)
    await Promise.all([hub, driver, ...bares].map(each => each.stop()))
    return reads.flatMap(({ path, same }): Line[] => {
      const [ours, bare] = [`hub ${path[0]}`, `bare ${path[0]}`]
      const shown = (name: string, what: string) =>
        `${what} ${perSecond(rounds.perSecond(name))}${Number.isNaN(rounds.cpu(name)) ? '' : ` (${rounds.cpu(name).toFixed(1)} µs)`}`
      const what = `read on ${engine}, GET ${path[0]}…, ${same.body.length} bytes`
      const against = (rival: string, words: string, target?: number): Line => ({
        what,
        ours: shown(ours, '').trim(),
        rival: shown(rival, words),
        ratio: rounds.ratio(ours, rival),
        ...(rival === 'pgbench' ? {} : { byCpu: rounds.byCpu(ours, rival) }),
        ...(target === undefined ? {} : { target: { atLeast: target } }),
      })
      return [
        against(bare, 'node:http, same bytes', atLeast),
        against('driver', engine === 'SQLite' ? 'node:sqlite select' : 'pg select, pipelined'),
        ...(engine === 'Postgres' ? [against('pgbench', 'pgbench -S -M prepared', 0.7)] : []),
      ]
    })
  },
})

export const readFigures = [figure('SQLite', 0.4), figure('Postgres', 0.27)]
