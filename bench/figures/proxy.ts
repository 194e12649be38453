/** Small proxied calls, beside a bare pass-through to the same provider. */
import type { Child } from '../child.ts'
import { type Figure, type Line, perSecond } from '../figure.ts'
import type { Through } from '../passthrough.ts'
import { rotate } from '../rounds.ts'
import { ownCore } from '../world.ts'
import { loaded } from './read.ts'

const path = ['/proxy/things/', ''] as const
const ownPath = ['/api/v1/connections/', '/proxy/things/1'] as const

export const proxy: Figure = {
  name: 'proxy',
  help: 'Proxied calls of 2 kB, 64 at a time, beside a bare pass-through on undici.',
  async run(world) {
    const { place } = await world.filled('SQLite', 20_000)
    const hub = await world.startHub(place)
    const through: Child<Through, number> = world.child('passthrough.ts', ownCore)
    const { origin } = new URL(world.tokenUrl)
    const bare = { pid: through.pid, port: await through.ask({ origin, authorization: 'Bearer bench-at-0' }) }
    const headersOf = (id: string) => `${place.headers}\r\nConnection-Id: ${id}\r\nProvider-Config-Key: bench`
    const lines = headersOf('c0000000').split('\r\n')
    const given = Object.fromEntries(lines.map(each => each.split(/: (.*)/).slice(0, 2)))
    const answer = await fetch(`http://127.0.0.1:${hub.port}/proxy/things/1`, { headers: given })
    const size = (await answer.text()).length
    if (answer.headers.get('mortise-answer-from') !== 'provider' || size < 2000)
      throw new Error(`/proxy answered ${answer.status} with ${size} bytes.`)
    const through1 = { ...place, headers: headersOf('c0000000') }
    const throughEach = { ...place, headers: headersOf('{id}') }
    const candidates = [
      loaded(world, 'one', hub, through1, path, 1000),
      loaded(world, 'many', hub, throughEach, path, 1000),
      loaded(world, 'own', hub, place, ownPath, 1000),
      loaded(world, 'more', hub, throughEach, path, 20_000),
      loaded(world, 'bare', bare, through1, path, 1000),
    ]
    const rounds = await rotate(world, 'proxy', candidates, world.quick ? 3 : 9)
    await Promise.all([hub, through].map(each => each.stop()))
    const shown = (name: string) => `${perSecond(rounds.perSecond(name))} (${rounds.cpu(name).toFixed(1)} µs)`
    const line = (name: string, of: string, target?: number): Line => ({
      what: `proxied calls, SQLite, ${of}, ${size} bytes`,
      ours: shown(name),
      rival: `undici Pool.stream: ${shown('bare')}`,
      ratio: rounds.ratio(name, 'bare'),
      byCpu: rounds.byCpu(name, 'bare'),
      ...(target === undefined ? {} : { target: { atLeast: target } }),
    })
    return [
      line('one', 'of one connection', 0.6),
      line('many', 'of 1,000 connections', 0.6),
      line('own', 'of 1,000 connections by the own API', 0.6),
      // Few of them are kept.
      line('more', 'of 20,000 connections'),
    ]
  },
}
