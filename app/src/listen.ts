/** A server that only this machine can reach, under either address of `localhost`. */
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Listening {
  readonly port: number
  close(): Promise<void>
}

/** Rejects with EADDRINUSE where the port is taken. Port 0 is any free one. */
export const listenOnLoopback = async (listener: RequestListener, port: number): Promise<Listening> => {
  const four = await listen(listener, port, '127.0.0.1')
  const bound = (four.address() as AddressInfo).port
  try {
    const six = await listen(listener, bound, '::1').catch((error: NodeJS.ErrnoException) => {
      // A machine without IPv6. A port that is taken there is taken: a browser would go to the other program.
      if (error.code === 'EADDRINUSE') throw error
      return undefined
    })
    const servers = six ? [four, six] : [four]
    return { port: bound, close: async () => void (await Promise.all(servers.map(close))) }
  } catch (error) {
    await close(four)
    throw error
  }
}

const listen = (listener: RequestListener, port: number, host: string): Promise<Server> =>
  new Promise((done, fail) => {
    const server = createServer(listener)
    server.once('error', fail)
    server.listen(port, host, () => done(server))
  })

const close = (server: Server): Promise<void> =>
  new Promise(done => {
    server.close(() => done())
    server.closeAllConnections()
  })

export const isPortTaken = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
