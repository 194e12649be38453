/** What docs/webhooks.md prints is run: both receivers hear a real event, and openssl finds its signature. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { deliveriesOf, setEndpoint, waits } from '../src/core/notify.ts'
import { connect, freePorts, startTestHub, tempFolder } from './harness.ts'
import { startReceiver, until } from './receiver.ts'

const root = fileURLToPath(new URL('../', import.meta.url))
const page = readFileSync(join(root, 'docs/webhooks.md'), 'utf8')

/** The one fence of that language that holds the text. */
const fence = (language: string, holds: string): string => {
  const found = [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].filter(
    ([, name, text]) => name === language && text?.includes(holds),
  )
  assert.equal(found.length, 1, `${language}: ${holds}`)
  return found[0]?.[2] ?? ''
}

const subscribed = async (t: TestContext, url: string) => {
  const hub = await startTestHub(t)
  const { context } = hub.rooms.hub
  const { secret } = await setEndpoint(context, hub.rooms.firstEnvironment, { url })
  return { hub, secret: secret?.reveal() ?? '', log: () => deliveriesOf(context, hub.rooms.firstEnvironment) }
}

for (const [language, holds, command] of [
  ['ts', "from 'express'", [process.execPath, '--input-type=module-typescript', '--eval']],
  ['python', 'BaseHTTPRequestHandler', ['python3', '-c']],
] as const)
  test(`the receiver in ${language} hears a connection, and refuses what is not signed`, async t => {
    const port = await freePorts()
    const url = `http://localhost:${port}/webhooks`
    const { hub, secret, log } = await subscribed(t, url)
    const text = fence(language, holds)
    assert.equal(text.split('3000').length, 2)
    const [program = '', ...args] = command
    const child = spawn(program, [...args, text.replace('3000', String(port))], {
      cwd: root,
      env: { ...process.env, ALLOY_WEBHOOK_SECRET: secret },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    t.after(() => child.kill('SIGKILL'))
    const forged = () =>
      fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'webhook-id': 'x',
          'webhook-timestamp': String(Math.floor(Date.now() / 1000)),
          'webhook-signature': 'v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
        },
        body: '{"type":"connection.created","data":{}}',
      }).catch(() => undefined)
    await until(async () => (await forged()) !== undefined)
    assert.equal((await forged())?.status, 401)
    let printed = ''
    child.stdout.on('data', chunk => {
      printed += chunk
    })
    await connect(hub, 'notion')
    await until(() => printed.endsWith('\n'))
    const [delivery] = await log()
    const { connectionId, userId } = JSON.parse(delivery?.body ?? '').data
    assert.equal(printed, `connected notion ${userId} ${connectionId}\n`)
    await until(async () => (await log())[0]?.lastStatus === 200)
  })

test('openssl finds the signature', async t => {
  const receiver = await startReceiver(t)
  const { hub, secret } = await subscribed(t, receiver.url)
  await connect(hub, 'notion')
  const { body, headers, id } = await receiver.next()
  const folder = tempFolder(t)
  writeFileSync(join(folder, 'body.json'), body)
  const printed = execFileSync('sh', ['-c', fence('sh', 'openssl')], {
    cwd: folder,
    env: { ...process.env, ALLOY_WEBHOOK_SECRET: secret, id, timestamp: headers['webhook-timestamp'] },
  })
  assert.equal(`v1,${printed}`, headers['webhook-signature'])
})

test('the table of tries is the one that is kept to', () => {
  const units: Record<string, number> = { second: 1, minute: 60, hour: 3600 }
  const rows = [...page.matchAll(/^\| (\d) \| (\d+) (\w+?)s? \|$/gm)].map(
    ([, , count = '', unit = '']) => Number(count) * (units[unit] ?? Number.NaN) * 1000,
  )
  assert.deepEqual(rows, waits)
})

test('the body is as it is printed', async t => {
  const receiver = await startReceiver(t)
  const { hub } = await subscribed(t, receiver.url)
  await connect(hub, 'notion')
  const printed = JSON.parse(fence('json', 'connection.created'))
  const got = JSON.parse((await receiver.next()).body)
  const shape = (event: { type: string; data: Record<string, string> }) => [
    Object.keys(event),
    event.type,
    Object.entries(event.data).map(([key, value]) => [key, value.replace(/[0-9a-f]{24}/, 'ID')]),
  ]
  assert.deepEqual(shape(got), shape(printed))
})
