/** Small proxied calls, beside a bare pass-through to the same provider. */
import type { Child } from '../child.ts'
import { type Figure, type Line, perSecond } from '../figure.ts'
import type { Through } from '../passthrough.ts'
import { rotate } from '../rounds.ts'
import { ownCore } from '../world.ts'
import { loaded, type Path } from './read.ts'

const path: Path = ['/proxy/things/', '']
const through = (id: string) => `\r\nConnection-Id: ${id}\r\nProvider-Config-Key: bench`
const target = { atLeast: 0.6 }

interface Case extends Pick<Line, 'target'> {
  readonly of: string
  readonly path: Path
  /** Besides the key. */
  readonly headers: string
  readonly count: number
}

/**
 * Each is compared by itself, with a hub that does nothing else, and the same headers go to both. The last one is of far more
 * connections than a hub keeps: nearly every call reads.
 */
const cases: readonly Case[] = [
  { of: 'one connection', path, headers: through('c0000000'), count: 1000, target },
  { of: '500 connections', path, headers: through('{id}'), count: 500, target },
  {
    of: '500 connections, own API',
    path: ['/api/v1/connections/', '/proxy/things/1'],
    headers: '',
    count: 500,
    target,
  },
  { of: '20,000 connections', path, headers: through('{id}'), count: 20_000 },
]

export const proxy: Figure = {
  name: 'proxy',
  help: 'Proxied calls of 2 kB, 64 at a time, beside a bare pass-through on undici.',
  async run(world) {
    const { place } = await world.filled('SQLite', 20_000)
    const passThrough: Child<Through, number> = world.child('passthrough.ts', ownCore)
    const { origin } = new URL(world.tokenUrl)
    const bare = { pid: passThrough.pid, port: await passThrough.ask({ origin, authorization: 'Bearer bench-at-0' }) }
    const lines: Line[] = []
    for (const { of, path: hubPath, headers, count, ...aim } of cases) {
      const at = { ...place, headers: place.headers + headers }
      const hub = await world.startHub(place)
      const url = `http://127.0.0.1:${hub.port}${hubPath.join('c0000000')}`
      const size = await once(url, at.headers.replace('{id}', 'c0000000'))
      const candidates = [loaded(world, 'hub', hub, at, hubPath, count), loaded(world, 'bare', bare, at, path, count)]
      const rounds = await rotate(world, `proxy, ${of}`, candidates, world.quick ? 3 : 9)
      await hub.stop()
      const shown = (name: string) => `${perSecond(rounds.perSecond(name))} (${rounds.cpu(name).toFixed(1)} µs)`
      lines.push({
        what: `proxied calls, SQLite, of ${of}, ${size} bytes`,
        ours: shown('hub'),
        rival: `undici Pool.stream: ${shown('bare')}`,
        ratio: rounds.ratio('hub', 'bare'),
        byCpu: rounds.byCpu('hub', 'bare'),
        ...aim,
      })
    }
    await passThrough.stop()
    return lines
  },
}

/** One call, checked; answers its length. */
const once = async (url: string, headers: string): Promise<number> => {
  const given = headers.split('\r\n').map(line => line.split(/: (.*)/).slice(0, 2))
  const answer = await fetch(url, { headers: Object.fromEntries(given) })
  const size = (await answer.text()).length
  if (answer.headers.get('mortise-answer-from') !== 'provider' || size < 2000)
    throw new Error(`${url} answered ${answer.status} with ${size} bytes.`)
  return size
}
