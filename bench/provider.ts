/** A provider's token endpoint, as a process of its own: rotates every refresh token, and counts. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answer } from './child.ts'
import { tokenAnswer } from './token-answer.ts'

/** `start` answers the port; `count` how many refreshes were asked for, and when the latest was answered. */
export type Ask = { readonly start: { readonly delay: number } } | { readonly count: true }
export type Told = { readonly port: number } | { readonly count: number; readonly at: number }

let count = 0
let at = 0

const start = async (delay: number): Promise<number> => {
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', chunk => {
      body += chunk
    })
    request.on('end', () => {
      const refreshes = new URLSearchParams(body).get('grant_type') === 'refresh_token'
      setTimeout(() => {
        if (refreshes) count++
        at = Date.now()
        response.writeHead(refreshes ? 200 : 400, { 'content-type': 'application/json' })
        response.end(refreshes ? JSON.stringify(tokenAnswer(count)) : '{"error":"unsupported_grant_type"}')
      }, delay)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

answer(async (ask: Ask): Promise<Told> => ('start' in ask ? { port: await start(ask.start.delay) } : { count, at }))
