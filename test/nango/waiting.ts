/** A page that waits on a socket, without a browser around it. */
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { WebSocket } from 'ws'

export interface WaitingPage {
  /** What it waits under: `ws_client_id`. */
  readonly name: string
  /** The next message, or `closed 1000` and the like. */
  next(): Promise<unknown>
  readonly socket: WebSocket
}

/** Opens a socket, and reads the greeting. Throws `refused 403 …` where it is not let in. */
export const openSocket = async (
  t: Pick<TestContext, 'after'>,
  hub: string,
  headers: Record<string, string> = {},
  path = '/',
): Promise<WaitingPage> => {
  const socket = new WebSocket(hub.replace('http', 'ws') + path, { headers })
  t.after(() => socket.terminate())
  const heard: unknown[] = []
  const waiting: ((message: unknown) => void)[] = []
  const tell = (message: unknown) => {
    const first = waiting.shift()
    if (first) first(message)
    else heard.push(message)
  }
  socket.on('message', data => tell(JSON.parse(String(data))))
  socket.on('close', code => tell(`closed ${code}`))
  const refused = new Promise<never>((_, fail) => {
    socket.on('unexpected-response', (_request, answer) => {
      let text = ''
      answer.on('data', chunk => {
        text += chunk
      })
      answer.on('end', () => fail(new Error(`refused ${answer.statusCode} ${text}`)))
    })
    socket.on('error', fail)
  })
  await Promise.race([once(socket, 'open'), refused])
  refused.catch(() => {})
  const next = () =>
    heard.length > 0 ? Promise.resolve(heard.shift()) : new Promise<unknown>(done => waiting.push(done))
  const hello = (await next()) as { message_type: string; ws_client_id: string }
  return { name: hello.ws_client_id, next, socket }
}
