/** A hub that is killed between the commit and the delivery, as a real process: the event arrives all the same. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { suite, type TestContext, test } from 'node:test'
import { openStorage } from '../src/storage/open.ts'
import { Browser, freePorts, tempFolder } from './harness.ts'
import { mortise, startProcess } from './process.ts'
import { type Received, startReceiver, until, verified } from './receiver.ts'

const begin = async (t: TestContext, endpoint: string) => {
  const folder = tempFolder(t)
  const port = await freePorts()
  const settings = { MORTISE_PORT: String(port), MORTISE_DATA_DIR: folder, MORTISE_LOG_LEVEL: 'error' }
  const start = () => startProcess(t, 'dev', settings)
  const hub = await start()
  const set = await mortise(['webhook', 'set', endpoint], settings)
  assert.equal(set.code, 0, set.stderr)
  /** Connects Notion in the sandbox; answers when the page says that it is done. */
  const connect = async () => {
    await fetch(`http://localhost:${port + 1}/_sandbox/switches`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ provider: 'notion', autoApprove: true }),
    })
    const { response } = await new Browser().follow(`http://localhost:${port}/oauth/connect/notion`)
    assert.match(await response.text(), /Notion is connected/)
  }
  /** What storage says, read beside the hub. */
  const stored = async () => {
    const storage = await openStorage(join(folder, 'mortise.db'))
    const [environment] = await storage.environments()
    const id = environment?.id ?? 0
    const [rows, deliveries] = [await storage.connections(id, {}), await storage.deliveries(id, 10)]
    await storage.close()
    return { rows, deliveries }
  }
  const kill = async (process: Awaited<ReturnType<typeof start>>) => {
    process.child.kill('SIGKILL')
    await process.ended
  }
  return { hub, start, kill, connect, stored, secret: set.stdout.trim() }
}

const isToldOf = (secret: string, got: Received, row: { id: string } | undefined): void => {
  const { type, data } = verified(secret, got) as { type: string; data: Record<string, string> }
  assert.deepEqual(
    [type, data['connectionId'], data['integrationId']],
    ['connection.created', `conn_${row?.id}`, 'notion'],
  )
  assert.equal(got.body, JSON.stringify({ type, data }))
  assert.deepEqual(Object.keys(data), ['connectionId', 'userId', 'integrationId'])
}

suite('kill -9', { concurrency: true }, () => {
  // The claim of the dead process lapses after fifteen seconds; the loop of the new one looks every five.
  test('while the receiver holds the request: after a restart the event comes again, signed', {
    timeout: 90_000,
  }, async t => {
    const receiver = await startReceiver(t)
    receiver.answer('hang')
    const { hub, start, kill, connect, stored, secret } = await begin(t, receiver.url)
    await connect()
    const lost = await receiver.next()
    await kill(hub)
    const before = await stored()
    assert.deepEqual([before.deliveries.length, before.deliveries[0]?.status], [1, 'pending'])
    receiver.answer(200)
    await start()
    const got = await receiver.next()
    isToldOf(secret, got, before.rows[0])
    assert.deepEqual([got.id, got.body], [lost.id, lost.body])
    await until(async () => (await stored()).deliveries[0]?.status === 'delivered')
  })

  test('while the receiver is down: once both are up the event arrives, signed', { timeout: 60_000 }, async t => {
    const port = await freePorts()
    const { hub, start, kill, connect, stored, secret } = await begin(t, `http://localhost:${port}/webhooks`)
    await connect()
    await kill(hub)
    const { rows, deliveries } = await stored()
    assert.equal(rows.length, 1)
    assert.deepEqual(
      deliveries.map(each => each.status),
      ['pending'],
    )
    const receiver = await startReceiver(t, port)
    await start()
    isToldOf(secret, await receiver.next(), rows[0])
    await until(async () => (await stored()).deliveries[0]?.status === 'delivered')
  })
})
