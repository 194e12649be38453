/** Attacks on what is stored: blobs moved between rows, fields and environments; unsealed values. */
import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { Browser, connect, connectUrl, getJson, startTestHub, type TestHub, untilCallback } from '../harness.ts'

const edit = (hub: TestHub, sql: string, ...values: (string | Uint8Array)[]) => {
  const db = new DatabaseSync(`${hub.dataDir}/mortise.db`)
  try {
    return db.prepare(sql).run(...values).changes
  } finally {
    db.close()
  }
}

const read = (hub: TestHub, id: string) => getJson(`${hub.origin}/connection/${id}?provider_config_key=github`)

test("a credential's blob moved to another row does not open there", async t => {
  const hub = await startTestHub(t)
  await connect(hub, 'github', { connection_id: 'rich' })
  await connect(hub, 'github', { connection_id: 'poor' })
  const rich = JSON.stringify((await read(hub, 'rich')).body)
  for (const part of ['access_part', 'renewal_part']) {
    edit(
      hub,
      `UPDATE connections SET ${part} = (SELECT ${part} FROM connections WHERE connection_id = 'rich') WHERE connection_id = 'poor'`,
    )
    const { status, body } = await read(hub, 'poor')
    assert.equal(status, 500)
    assert.ok(!JSON.stringify(body).includes(/gh[ur]_[\w-]+/.exec(rich)?.[0] ?? ''))
  }
  assert.equal((await read(hub, 'rich')).status, 200)
})

test('a blob moved to another field does not open there', async t => {
  const hub = await startTestHub(t)
  await connect(hub, 'github', { connection_id: 'a' })
  edit(hub, 'UPDATE connections SET access_part = renewal_part')
  assert.equal((await read(hub, 'a')).status, 500)
})

test('a value that was never sealed is not accepted', async t => {
  const hub = await startTestHub(t)
  await connect(hub, 'github', { connection_id: 'a' })
  edit(hub, 'UPDATE connections SET access_part = ?', Buffer.from(JSON.stringify(['planted', {}])))
  const { status, body } = await read(hub, 'a')
  assert.equal(status, 500)
  assert.doesNotMatch(JSON.stringify(body), /planted/)
})

test("an attempt's verifier and an integration's secret moved between rows do not open", async t => {
  const hub = await startTestHub(t)
  for (const provider of ['github', 'notion']) hub.sandbox.set(provider, { autoApprove: true })
  const [one, two] = [new Browser(), new Browser()]
  const first = await untilCallback(hub, one, connectUrl(hub, 'github', { connection_id: '1' }))
  const second = await untilCallback(hub, two, connectUrl(hub, 'notion', { connection_id: '2' }))
  edit(
    hub,
    "UPDATE attempts SET verifier = (SELECT verifier FROM attempts WHERE connection_id = '2') WHERE connection_id = '1'",
  )
  assert.equal((await one.get(first)).status, 400)
  edit(
    hub,
    "UPDATE integrations SET client_secret = (SELECT client_secret FROM integrations WHERE key = 'github') WHERE key = 'notion'",
  )
  assert.equal((await two.get(second)).status, 400)
  assert.equal(hub.sandbox.calls.length, 0)
})
