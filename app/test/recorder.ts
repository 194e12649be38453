/** A server that begins sign-ins and redeems whatever code it is given, and remembers each call: what a guard must stop. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

export interface Recorder {
  readonly origin: string
  /** The bodies of `POST …/credentials`, `state` among them. */
  readonly begun: Record<string, unknown>[]
  /** The bodies of `POST …/credentials/callback`. */
  readonly redeemed: Record<string, unknown>[]
  /** The paths of `DELETE …`. */
  readonly deleted: string[]
  /** What every list of connections holds. */
  rows: unknown[]
  /** What a redemption is answered with. */
  redemption: { status: number; body: unknown }
  /** What happens between a redemption's request and its answer. */
  beforeRedemption: () => Promise<void>
}

export const startRecorder = async (t: Pick<TestContext, 'after'>): Promise<Recorder> => {
  const recorder = {
    origin: '',
    begun: [] as Record<string, unknown>[],
    redeemed: [] as Record<string, unknown>[],
    deleted: [] as string[],
    rows: [] as unknown[],
    beforeRedemption: async () => {},
    redemption: {
      status: 200,
      body: { connectionId: 'conn_1', credentialId: 'conn_1', status: 'connected' } as unknown,
    },
  }
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
    const send = (status: number, answer: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    if (request.method === 'DELETE') {
      recorder.deleted.push(request.url ?? '')
      send(500, { message: 'not today' })
    } else if (request.method === 'POST' && request.url?.endsWith('/credentials')) {
      recorder.begun.push(body)
      send(200, { oauthUrl: `${recorder.origin}/authorize`, credentialId: 'conn_1', state: body['state'] })
    } else if (request.method === 'POST' && request.url?.endsWith('/credentials/callback')) {
      recorder.redeemed.push(body)
      await recorder.beforeRedemption()
      send(recorder.redemption.status, recorder.redemption.body)
    } else if (request.url?.endsWith('/credentials')) send(200, { data: recorder.rows })
    else if (request.url?.endsWith('/connections')) send(200, recorder.rows)
    else if (request.url?.startsWith('/credentials/')) send(200, { credentialId: request.url.split('/')[2] })
    else send(404, { message: 'nothing here' })
  })
  await new Promise<void>(done => server.listen(0, 'localhost', done))
  recorder.origin = `http://localhost:${(server.address() as AddressInfo).port}`
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return recorder
}
