/** A provider's token endpoint, as a process of its own: rotates every refresh token, and counts; and its API. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answer } from './child.ts'
import { tokenAnswer } from './token-answer.ts'

/** `start` answers the port; `restart` counts from nought again. */
export type Ask = { readonly start: { readonly delay: number } } | { readonly restart: true } | { readonly count: true }

export interface Told {
  readonly port: number
  /** How many refreshes were asked for, when the first of them was, and when the latest was answered. */
  readonly count: number
  readonly first: number
  readonly last: number
}

let told: Told = { port: 0, count: 0, first: 0, last: 0 }
let made = 0

/** What its API answers to every call. */
const body = JSON.stringify({ id: 'thing', text: 'x'.repeat(2000) })
const thing = { body, headers: { 'content-type': 'application/json', 'content-length': String(body.length) } }

const start = async (delay: number): Promise<number> => {
  const server = createServer((request, response) => {
    if (request.method === 'GET') return void response.writeHead(200, thing.headers).end(thing.body)
    let body = ''
    request.on('data', chunk => {
      body += chunk
    })
    request.on('end', () => {
      const refreshes = new URLSearchParams(body).get('grant_type') === 'refresh_token'
      if (told.first === 0) told = { ...told, first: Date.now() }
      setTimeout(() => {
        if (refreshes) told = { ...told, count: told.count + 1, last: Date.now() }
        response.writeHead(refreshes ? 200 : 400, { 'content-type': 'application/json' })
        response.end(refreshes ? JSON.stringify(tokenAnswer(++made)) : '{"error":"unsupported_grant_type"}')
      }, delay)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

answer(async (ask: Ask): Promise<Told> => {
  if ('start' in ask) told = { ...told, port: await start(ask.start.delay) }
  if ('restart' in ask) told = { ...told, count: 0, first: 0, last: 0 }
  return told
})
