/** Two hubs never hold one rotating token: what a move, and what a mere copy, does to connections of a strict provider. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { stringify } from 'yaml'
import { readConfig } from '../src/config.ts'
import { MortiseError } from '../src/core/errors.ts'
import { freezeEnvironment, unfreezeEnvironment } from '../src/core/move.ts'
import { startHub } from '../src/main.ts'
import { connectUrl, freePorts, getJson, later, tempFolder } from './harness.ts'
import { exported, imported, open } from './move-world.ts'
import { type Answer, gate, type Pair, quick, rotating, startPair, until } from './pair.ts'

/** A hub on a database and a root key of its own, with what the lines of an export hold. */
const startFrom = async (t: TestContext, pair: Pair, lines: readonly string[]) => {
  const folder = tempFolder(t)
  const providers = join(folder, 'providers')
  mkdirSync(providers)
  writeFileSync(join(providers, 'rotating.yaml'), stringify(rotating()))
  const port = await freePorts()
  const settings = {
    MORTISE_DATA_DIR: folder,
    MORTISE_ROOT_KEY: randomBytes(32).toString('base64'),
    MORTISE_PROVIDERS_DIR: providers,
    MORTISE_LOG_LEVEL: 'silent',
    MORTISE_PORT: String(port),
  }
  const result = await imported(await open(t, settings), lines)
  assert.deepEqual([result.conflicts, result.replaced], [[], true])
  const overrides = { clock: pair.clock, timing: quick, lookForDue: 0 }
  const running = await startHub(readConfig(settings, 'dev'), pair.dev.sandbox.origin, overrides)
  t.after(() => running.stop())
  const { storage, hub } = running.rooms
  return {
    storage,
    hub,
    result,
    async read(query: Record<string, string> = {}): Promise<Answer & { readonly body: Record<string, unknown> }> {
      const search = new URLSearchParams({ provider_config_key: 'rotating', ...query })
      const url = `http://localhost:${port}/connection/a?${search}`
      const { status, body } = await getJson<{
        credentials?: { access_token: string }
        error?: { code: string; message: string }
      }>(url)
      const { credentials, error } = body
      return {
        status,
        token: credentials?.access_token ?? '',
        code: error?.code ?? '',
        message: error?.message ?? '',
        retryAfter: 0,
        body,
      }
    },
    async row() {
      const row = await storage.connection(pair.environmentId, 'rotating', 'a')
      assert.ok(row)
      return row
    },
  }
}

const environmentOf = (pair: Pair) => ({ id: pair.environmentId })
const linesOf = (pair: Pair) => exported(pair.dev.rooms, environmentOf(pair))
const freeze = (pair: Pair, waiting = (_count: number) => {}) =>
  freezeEnvironment(pair.first.hub.context, environmentOf(pair), waiting)

test('after a move the old hubs never spend: the new one reads and refreshes, again and again', async t => {
  const pair = await startPair(t)
  const before = await pair.first.read()
  const old = await pair.row()
  await freeze(pair)
  const to = await startFrom(t, pair, await linesOf(pair))
  assert.equal(to.result.moved, true)
  const row = await to.row()
  const { access: _a, renewal: _r, ...plain } = old
  const { access: _b, renewal: _s, ...moved } = row
  assert.deepEqual(moved, plain, 'every id, number, time and status is as it was')
  assert.equal((await to.read()).token, before.token)
  for (let round = 1; round <= 3; round++) {
    pair.clock.forward(3600)
    // The token has ended: the two old hubs, their background too, have nothing to give and send nothing.
    const answers = await Promise.all([
      pair.first.read(),
      pair.second.read(),
      pair.first.read('a', { force_refresh: 'true' }),
    ])
    for (const answer of answers) {
      assert.equal(answer.status, 409)
      assert.match(answer.message, /was frozen at .* to be moved .* mortise env unfreeze$/)
    }
    await pair.first.hub.refreshDue()
    await pair.second.hub.refreshDue()
    await pair.first.hub.settle()
    assert.equal(pair.outcomes().length, round - 1)
    const read = await to.read()
    assert.equal(read.status, 200)
    assert.notEqual(read.token, before.token)
    assert.deepEqual(new Set(pair.outcomes()), new Set(['ok']))
    assert.equal(pair.outcomes().length, round)
  }
  assert.equal((await to.row()).credentialRevision, 4)
  assert.equal((await pair.row()).credentialRevision, 1)
})

test('a frozen environment serves living tokens, and refuses whatever would be missed elsewhere, in every process', async t => {
  const pair = await startPair(t)
  const { token } = await pair.first.read()
  await freeze(pair)
  const refused = (work: Promise<unknown>) =>
    assert.rejects(work, error => {
      assert.ok(error instanceof MortiseError)
      assert.deepEqual([error.code, error.details.reason], ['conflict', 'environment_frozen'])
      return true
    })
  for (const { storage, read } of [pair.first, pair.second]) {
    assert.equal((await read()).token, token)
    const row = await pair.row()
    await refused(storage.setMetadata(row.environmentId, row.id, { a: 1 }, 'set', new Date()))
    await refused(storage.deleteConnection(row.environmentId, row.id, new Date()))
    const user = {
      environmentId: row.environmentId,
      id: 'f'.repeat(24),
      username: 'u',
      createdAt: new Date(),
      updatedAt: new Date(),
    }
    await refused(storage.addEndUser(user))
    await refused(storage.updateEndUser(user))
    await refused(storage.deleteEndUser(row.environmentId, user.id, new Date()))
    await refused(
      storage.authorize({
        environmentId: row.environmentId,
        integrationKey: row.integrationKey,
        find: { id: row.id },
        decide: found => {
          assert.ok(found)
          return found
        },
      }),
    )
  }
  // Within the margin of its end it is still what is served, by both, without another look for a while.
  pair.clock.forward(3600 - 200)
  for (const each of [pair.first, pair.second, pair.first]) assert.equal((await each.read()).token, token)
  const hmac = await pair.first.hub.hmac(
    await pair.first.hub.context.environmentOf(pair.environmentId),
    'rotating',
    'b',
  )
  const link = await fetch(connectUrl(pair.dev, 'rotating', { connection_id: 'b', hmac: hmac ?? '' }))
  assert.ok(link.status >= 400)
  assert.match(await link.text(), /was frozen at/)
  assert.deepEqual(pair.outcomes(), [])
  // Undone, it lives on.
  await unfreezeEnvironment(pair.second.hub.context, environmentOf(pair))
  pair.clock.forward(600)
  const renewed = await pair.first.read()
  assert.equal(renewed.status, 200)
  assert.notEqual(renewed.token, token)
  assert.deepEqual(pair.outcomes(), ['ok'])
})

test('a refresh that is under way when the freeze comes lands first, and what is moved is its answer', async t => {
  const pair = await startPair(t)
  pair.clock.forward(3600)
  pair.dev.sandbox.set('rotating', { delayMs: 400 })
  const swap = gate(t, pair.second.storage, 'swapCredential')
  const reading = pair.second.read()
  await swap.arrived()
  let [waited, done] = [0, false]
  const freezing = freeze(pair, count => {
    waited += count
  }).then(() => {
    done = true
  })
  try {
    await until(() => waited > 2)
    assert.equal(done, false)
  } finally {
    swap.go()
  }
  assert.equal((await reading).status, 200)
  await freezing
  const to = await startFrom(t, pair, await linesOf(pair))
  assert.equal((await to.row()).credentialRevision, 2)
  pair.dev.sandbox.set('rotating', { delayMs: 0 })
  pair.clock.forward(3600)
  assert.equal((await to.read()).status, 200)
  assert.deepEqual(pair.outcomes(), ['ok', 'ok'])
})

test('a lease that was taken as the freeze came sends nothing', async t => {
  const pair = await startPair(t)
  pair.clock.forward(3600)
  const mark = gate(t, pair.second.storage, 'markRefresh')
  const reading = pair.second.read()
  await mark.arrived()
  const freezing = freeze(pair)
  await later(50)
  mark.go()
  assert.equal((await reading).status, 409)
  await freezing
  assert.deepEqual(pair.outcomes(), [])
})

test('a copy whose token the old hub has used since says so at its first refresh', async t => {
  const pair = await startPair(t)
  const lines = await linesOf(pair)
  pair.clock.forward(3600)
  assert.equal((await pair.first.read()).status, 200)
  const to = await startFrom(t, pair, lines)
  assert.equal(to.result.moved, false)
  // Nothing is sent before somebody asks for it.
  await to.hub.refreshDue()
  await to.hub.settle()
  assert.deepEqual(pair.outcomes(), ['ok'])
  const failed = await to.read()
  assert.equal(failed.status, 400)
  assert.match(
    failed.message,
    /was restored from a backup, and Rotating refuses its refresh token: .* must connect the account again/,
  )
  const row = await to.row()
  assert.deepEqual([row.status, row.statusCause], ['reauthorization_required', 'restored_copy'])
})

test('a copy that nobody has used since is refreshed, and is one like others from then on', async t => {
  const pair = await startPair(t)
  const to = await startFrom(t, pair, await linesOf(pair))
  const before = await to.storage.refreshState(pair.environmentId, (await to.row()).id)
  assert.deepEqual([before?.restoredRevision, before?.revision], [1, 1])
  pair.clock.forward(3600)
  assert.equal((await to.read()).status, 200)
  // In the background too.
  pair.clock.forward(3500)
  await to.hub.refreshDue()
  await to.hub.settle()
  assert.deepEqual(pair.outcomes(), ['ok', 'ok'])
  pair.dev.sandbox.set('rotating', { fail: { status: 400, body: { error: 'invalid_grant' }, times: 1 } })
  pair.clock.forward(3600)
  assert.equal((await to.read()).status, 400)
  assert.equal((await to.row()).statusCause, 'refresh_refused')
})

test('a copy becomes what was moved: the same file with the mark of a move, and a newer one', async t => {
  const pair = await startPair(t)
  const to = await startFrom(t, pair, await linesOf(pair))
  pair.clock.forward(3600)
  await pair.first.read()
  await freeze(pair)
  const lines = await linesOf(pair)
  const again = await imported({ ...pair.dev.rooms, hub: to.hub, storage: to.storage }, lines)
  assert.deepEqual([again.became.write, again.conflicts], [1, []])
  const state = async () => to.storage.refreshState(pair.environmentId, (await to.row()).id)
  assert.deepEqual([(await state())?.restoredRevision, (await state())?.revision], [undefined, 2])
  pair.clock.forward(3600)
  assert.equal((await to.read()).status, 200)
  assert.deepEqual(pair.outcomes(), ['ok', 'ok'])
  // Who has a newer credential keeps it.
  const third = await imported({ ...pair.dev.rooms, hub: to.hub, storage: to.storage }, lines)
  assert.deepEqual([third.became.leave, (await to.row()).credentialRevision], [1, 3])
})
