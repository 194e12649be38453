/** The rival of the proxy: `node:http` in front of undici's `Pool.stream`, which looks at nothing and adds one header. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Pool } from 'undici'
import { answer } from './child.ts'

export interface Through {
  /** Where everything goes. */
  readonly origin: string
  readonly authorization: string
}

answer(async ({ origin, authorization }: Through): Promise<number> => {
  const pool = new Pool(origin, { connections: 256, allowH2: false })
  const server = createServer((request, response) => {
    pool
      .stream({ path: request.url ?? '/', method: 'GET', headers: { authorization } }, ({ statusCode, headers }) => {
        response.writeHead(statusCode, headers)
        return response
      })
      .catch(() => response.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
})
