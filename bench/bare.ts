/** The rival of every read: `node:http` alone, which answers every request with the same bytes. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answer } from './child.ts'

export interface Same {
  readonly body: string
  readonly type: string
}

answer(async ({ body, type }: Same): Promise<number> => {
  const headers = { 'content-type': type, 'content-length': Buffer.byteLength(body) }
  const server = createServer((_request, response) => {
    response.writeHead(200, headers)
    response.end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
})
