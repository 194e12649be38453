/**
 * The internet, played for a hub in this process: names resolve as the test says, and whatever is dialled but the hub itself
 * ends at one listener on this machine that keeps every byte and who it was meant for. Nothing leaves the machine.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import net, { type AddressInfo, isIP, type LookupFunction, type Socket } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import tls, { type ConnectionOptions } from 'node:tls'
import { tempFolder } from '../harness.ts'

/** One connection, as whoever lives at that address saw it. */
export interface Heard {
  /** The address and port that were dialled. */
  to: string
  bytes: string
}

export interface Internet {
  /** Addresses of a name, look-up by look-up; the last of them stays. A name that is not here does not exist. */
  readonly names: Map<string, string[][]>
  readonly resolve: (name: string) => Promise<readonly string[]>
  readonly heard: Heard[]
  /** Where a connection to an address says that it leads, if not there. */
  readonly leads: Map<string, string>
  /** The whole answer to a request, for one that is not to get 200. */
  answer: (request: string, to: string) => string | undefined
}

type Options = ConnectionOptions & { lookup?: LookupFunction; autoSelectFamily?: boolean }
type Dial = (options: Options, done?: () => void) => Socket

export const startInternet = async (t: TestContext, ownPort: number): Promise<Internet> => {
  const names: Internet['names'] = new Map()
  const dialled = new Map<number, string>()
  const internet: Internet = {
    names,
    heard: [],
    leads: new Map(),
    answer: () => undefined,
    async resolve(name) {
      const lists = names.get(name.replace(/\.$/, ''))
      const list = (lists && lists.length > 1 ? lists.shift() : lists?.[0]) ?? []
      if (list.length === 0) throw new Error(`${name} does not exist`)
      return list
    },
  }
  const serve = (socket: Socket) => {
    const { remotePort = 0 } = socket
    const one: Heard = { to: 'somewhere', bytes: '' }
    internet.heard.push(one)
    socket.on('error', () => {})
    socket.on('data', chunk => {
      // The side that dials has said so by the time that it sends.
      one.to = dialled.get(remotePort) ?? one.to
      const start = one.bytes.length
      one.bytes += chunk.toString('latin1')
      if (!one.bytes.slice(start).includes('\r\n\r\n')) return
      socket.write(
        internet.answer(one.bytes.slice(start), one.to) ??
          'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}',
      )
    })
  }
  const folder = tempFolder(t)
  const [key, cert] = ['key.pem', 'cert.pem'].map(name => join(folder, name)) as [string, string]
  execFileSync(
    'openssl',
    [
      ...'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=internet'.split(' '),
    ].concat(['-keyout', key, '-out', cert]),
    { stdio: 'ignore' },
  )
  const secure = tls.createServer({ key: readFileSync(key), cert: readFileSync(cert) }, serve)
  const plain = net.createServer(serve)
  const ports = new Map<'secure' | 'plain', number>()
  for (const [kind, server] of [
    ['secure', secure],
    ['plain', plain],
  ] as const) {
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
    ports.set(kind, (server.address() as AddressInfo).port)
    t.after(() => server.close())
  }

  /** Where the options lead, as Node would find out: an address itself, or the first that the look-up gives. */
  const reroute = (real: Dial, kind: 'secure' | 'plain'): Dial =>
    function dial(options, done) {
      if ([ownPort, ...ports.values()].includes(Number(options.port))) return real(options, done)
      const host = (options.host ?? 'localhost').replace(/^\[|\]$/g, '')
      let address = isIP(host) === 0 ? `what the machine itself finds for ${host}` : host
      if (isIP(host) === 0)
        options.lookup?.(host, { all: true }, (_, found) => {
          address = Array.isArray(found) ? (found[0]?.address ?? '') : found
        })
      const to = `${address}:${options.port}`
      const { lookup: _, autoSelectFamily: __, ...rest } = options
      const here = { ...rest, host: '127.0.0.1', port: ports.get(kind) ?? 0, rejectUnauthorized: false }
      const socket = real(here, done)
      socket.once('connect', () => dialled.set(socket.localPort ?? 0, to))
      // Whoever checks where the connection leads is told what it would be told.
      Object.defineProperty(socket, 'remoteAddress', { get: () => internet.leads.get(address) ?? address })
      return socket
    }
  t.mock.method(tls, 'connect', reroute(tls.connect as Dial, 'secure'))
  t.mock.method(net, 'connect', reroute(net.connect as Dial, 'plain'))
  return internet
}
