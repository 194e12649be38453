/** What SQLite does by itself: one thread writes, the main thread reads, and neither waits for the other. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { suite, type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import type { Connection } from '../src/core/connection.ts'
import type { Storage } from '../src/core/storage.ts'
import { openSqlite } from '../src/storage/sqlite.ts'
import { add, at, attempt, bytes, connection, draft, environment, get, integration } from './storage.fixtures.ts'

const fileOf = (t: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'mortise-sqlite-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return join(folder, 'mortise.db')
}

/** A storage with one integration, and the thread that writes for it. */
const begin = async (t: TestContext, path = fileOf(t)) => {
  const started = once(process, 'worker') as Promise<[Worker]>
  const storage = openSqlite(path)
  t.after(() => storage.close())
  const [thread] = await started
  await storage.addEnvironment(environment(1))
  await storage.addIntegration(integration(1, 'github'))
  return { path, storage, thread }
}

/** Runs a module in a process of its own, and waits for its first output. */
const inProcess = async (t: TestContext, script: string): Promise<ChildProcess> => {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  if (child.stdout) await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
  return child
}

/** Whether other promises go on, without a turn of the event loop. */
const microtasks = async (count: number) => {
  for (let n = 0; n < count; n++) await undefined
}
const block = (ms: number) => {
  for (const end = performance.now() + ms; performance.now() < end; );
}

const next = (row: Connection, revision: number) => ({
  kind: row.kind,
  access: bytes(revision % 256, revision >> 8),
  obtainedAt: at(revision),
})
const swap = (storage: Storage, row: Connection, from: number) =>
  storage.swapCredential(row.environmentId, row.id, from, next(row, from))

suite('a write lock that another process holds for 5 s', { timeout: 60_000 }, () => {
  test('holds up writes, of which none fails or is lost, and neither reads nor the event loop', async t => {
    const { path, storage } = await begin(t)
    const row = await add(storage, connection(1, 'a'))
    const holder = await inProcess(
      t,
      `import { DatabaseSync } from 'node:sqlite'
      const db = new DatabaseSync(${JSON.stringify(path)})
      db.exec('BEGIN IMMEDIATE')
      process.stdout.write('held')
      setTimeout(() => db.exec('COMMIT'), 5000)`,
    )
    const since = performance.now()
    let [last, longest, reads] = [since, 0, 0]
    const timer = setInterval(() => {
      const now = performance.now()
      longest = Math.max(longest, now - last)
      last = now
    }, 10)
    t.after(() => clearInterval(timer))
    let writing = true
    const writes = Promise.all([
      ...Array.from({ length: 20 }, (_, n) => storage.addAttempt(attempt(1, `s${n}`))),
      ...Array.from({ length: 20 }, (_, n) => add(storage, connection(1, `b${n}`))),
      swap(storage, row, 1),
    ]).finally(() => {
      writing = false
    })
    for (; writing; reads++) {
      const found = await get(storage, row)
      assert.ok(found)
      // Not one of the writes was let through before the lock was gone.
      if (performance.now() - since < 4000) assert.equal(found.credentialRevision, 1)
      assert.deepEqual(await storage.integrations(1), [integration(1, 'github')])
      await setTimeout(5)
    }
    await writes
    const took = performance.now() - since
    t.diagnostic(`${reads} reads in ${Math.round(took)} ms, and the longest gap was ${Math.round(longest)} ms`)
    assert.ok(took > 4000, `the lock was held: ${took} ms`)
    assert.ok(longest < 1000, `the event loop stood still for ${longest} ms`)
    assert.ok(reads > 100, `${reads} reads`)
    assert.equal((await get(storage, row))?.credentialRevision, 2)
    for (let n = 0; n < 20; n++) assert.ok(await storage.attempt(1, `s${n}`), `s${n}`)
    assert.equal((await storage.connections(1, {})).length, 21)
    if (holder.exitCode === null) await once(holder, 'exit')
    assert.equal(holder.exitCode, 0)
  })
})

test('an up-to-date file is opened and read while another process holds the write lock', async t => {
  const { path, storage } = await begin(t)
  const holder = new DatabaseSync(path)
  t.after(() => holder.close())
  holder.exec('BEGIN IMMEDIATE')
  const since = performance.now()
  const second = openSqlite(path)
  assert.deepEqual(await second.integrations(1), [integration(1, 'github')])
  await second.close()
  assert.ok(performance.now() - since < 2000)
  holder.exec('ROLLBACK')
  await storage.addAttempt(attempt(1, 's'))
})

suite('the thread that writes', { timeout: 60_000 }, () => {
  test('fails what waits for it and all that comes later when it dies, and says so', async t => {
    const { storage, thread } = await begin(t)
    await storage.ping()
    const waiting = [
      storage.addAttempt(attempt(1, 's')),
      storage.authorize(draft(connection(1, 'a'), undefined)),
      storage.mark('m', bytes(1)),
    ]
    void thread.terminate()
    const died =
      /^The thread that writes the database has ended: it left with 1\. Nothing can be written until Mortise is started again\.$/
    const ends = await Promise.allSettled(waiting)
    // The first one may have been written just before.
    for (const end of ends.slice(1)) {
      assert.ok(end.status === 'rejected')
      assert.match(end.reason.message, died)
    }
    await assert.rejects(storage.mark('n', bytes(1)), { message: died })
    await assert.rejects(storage.ping(), { message: died })
    await assert.rejects(storage.authorize(draft(connection(1, 'a'), undefined)), { message: died })
    assert.deepEqual(await storage.integrations(1), [integration(1, 'github')])
    await storage.close()
  })

  test('says why it died', async t => {
    const folder = dirname(fileOf(t))
    const storage = openSqlite(join(folder, 'mortise.db'))
    t.after(() => storage.close())
    // The thread has not come so far yet.
    renameSync(folder, `${folder}-moved`)
    const failed = storage.mark('m', bytes(1)).finally(() => renameSync(`${folder}-moved`, folder))
    await assert.rejects(failed, {
      message: /^The thread that writes the database has ended: unable to open database file\. Nothing can be written/,
    })
  })

  test('ends with all that was begun before closing, in its order', async t => {
    const { path, storage } = await begin(t)
    const row = await add(storage, connection(1, 'a'))
    const begun = [
      ...Array.from({ length: 50 }, (_, n) => storage.addAttempt(attempt(1, `s${n}`))),
      storage.mark('m', bytes(7)),
      swap(storage, row, 1),
      storage.deleteConnection(1, row.id, at(9)),
    ]
    const ends = Promise.allSettled(begun)
    await storage.close()
    await storage.close()
    assert.deepEqual(
      (await ends).filter(each => each.status === 'rejected'),
      [],
    )
    await assert.rejects(async () => storage.addAttempt(attempt(1, 'late')), /closed/)
    const after = openSqlite(path)
    t.after(() => after.close())
    for (let n = 0; n < 50; n++) assert.ok(await after.attempt(1, `s${n}`), `s${n}`)
    assert.deepEqual(await after.marked('m'), bytes(7))
    assert.equal(await get(after, row), undefined)
  })

  test('ends with the very first statement, too', async t => {
    const path = fileOf(t)
    const storage = openSqlite(path)
    const begun = storage.mark('m', bytes(7))
    await storage.close()
    assert.deepEqual(await begun, bytes(7))
  })

  test('tells errors as node:sqlite does', async t => {
    const { storage } = await begin(t)
    await storage.addAttempt(attempt(1, 's'))
    const expected = {
      name: 'Error',
      code: 'ERR_SQLITE_ERROR',
      errcode: 1555,
      message: 'UNIQUE constraint failed: attempts.environment_id, attempts.state_hash',
    }
    await assert.rejects(storage.addAttempt(attempt(1, 's')), expected)
    const memory = openSqlite(':memory:')
    t.after(() => memory.close())
    await memory.addEnvironment(environment(1))
    await memory.addAttempt(attempt(1, 's'))
    await assert.rejects(memory.addAttempt(attempt(1, 's')), expected)
  })

  test('tells why a transaction failed that SQLite has undone itself, as it does when the disk is full', async t => {
    const { path, storage } = await begin(t)
    const raw = new DatabaseSync(path)
    t.after(() => raw.close())
    raw.exec("CREATE TRIGGER planted BEFORE INSERT ON connections BEGIN SELECT RAISE(ROLLBACK, 'planted'); END")
    await assert.rejects(add(storage, connection(1, 'a')), { message: 'planted' })
    raw.exec('DROP TRIGGER planted')
    assert.ok(await add(storage, connection(1, 'a')))
  })

  test('is sent the bytes it needs and no others, and takes none away', async t => {
    const { storage, thread } = await begin(t)
    const post = t.mock.method(thread, 'postMessage')
    const pooled = Buffer.from('0123456789').subarray(2, 5)
    assert.notEqual(pooled.byteLength, pooled.buffer.byteLength)
    const own = bytes(1, 2, 3)
    assert.deepEqual(await storage.mark('pooled', pooled), Uint8Array.from(pooled))
    assert.deepEqual(await storage.mark('own', own), own)
    const sent = post.mock.calls.flatMap(call =>
      (call.arguments[0] as { values: unknown[] }[]).flatMap(each => each.values),
    )
    const arrays = sent.filter(value => value instanceof Uint8Array)
    assert.deepEqual(
      arrays.map(each => each.buffer.byteLength),
      [3, 3],
    )
    assert.deepEqual([String(pooled), own.length], ['234', 3])
  })

  test('keeps no process alive that has nothing to write', async t => {
    const path = fileOf(t)
    for (const work of ['', 'await storage.environments()', "await storage.mark('m', new Uint8Array(1))"]) {
      const child = await inProcess(
        t,
        `import { openSqlite } from ${JSON.stringify(new URL('../src/storage/sqlite.ts', import.meta.url).href)}
        const storage = openSqlite(${JSON.stringify(path)})
        ${work}
        await new Promise(done => setTimeout(done, 200))
        process.stdout.write('done')`,
      )
      const ended = child.exitCode === null ? once(child, 'exit') : [child.exitCode]
      assert.deepEqual(await Promise.race([ended, setTimeout(5000, 'still there')]), [0, null], work)
    }
  })

  test('writes what a process begins before it leaves of itself', async t => {
    const path = fileOf(t)
    const child = await inProcess(
      t,
      `import { openSqlite } from ${JSON.stringify(new URL('../src/storage/sqlite.ts', import.meta.url).href)}
      process.stdout.write('opening')
      openSqlite(${JSON.stringify(path)}).mark('m', new Uint8Array(1))`,
    )
    if (child.exitCode === null) await once(child, 'exit')
    const after = openSqlite(path)
    t.after(() => after.close())
    assert.deepEqual(await after.marked('m'), bytes(0))
  })
})

suite('reads beside the thread that writes', { timeout: 60_000 }, () => {
  test('see what was written a moment before, 1,000 times', async t => {
    const { storage } = await begin(t)
    const row = await add(storage, connection(1, 'a'))
    for (let revision = 1; revision <= 1000; revision++) {
      assert.equal(await swap(storage, row, revision), true)
      const found = await get(storage, row)
      assert.equal(found?.credentialRevision, revision + 1)
      assert.deepEqual(found.access, next(row, revision).access)
      if (revision % 10 === 0) assert.deepEqual(await storage.connectionById(1, row.id), found)
    }
  })

  test('see it even within the turn of the event loop in which they have read before', async t => {
    const { storage } = await begin(t)
    const row = await add(storage, connection(1, 'a'))
    for (let revision = 1; revision <= 50; revision++) {
      // Here the answer of the thread is being received. The next one comes while that still goes on.
      const turn = performance.nodeTiming.uvMetricsInfo.loopCount
      assert.equal((await get(storage, row))?.credentialRevision, revision)
      const swapped = swap(storage, row, revision)
      await microtasks(50)
      block(10)
      assert.equal(performance.nodeTiming.uvMetricsInfo.loopCount, turn)
      await swapped
      assert.equal((await get(storage, row))?.credentialRevision, revision + 1)
    }
  })

  test('see what another process wrote, at the next request', async t => {
    const { path, storage } = await begin(t)
    const row = await add(storage, connection(1, 'a'))
    const other = openSqlite(path)
    t.after(() => other.close())
    for (let revision = 1; revision <= 100; revision++) {
      assert.equal((await get(storage, row))?.credentialRevision, revision)
      await swap(other, row, revision)
      await setTimeout(0)
      assert.equal((await get(storage, row))?.credentialRevision, revision + 1)
    }
    await other.deleteConnection(1, row.id, at(1))
    await setTimeout(0)
    assert.equal(await get(storage, row), undefined)
    await add(other, connection(1, 'a'))
    await setTimeout(0)
    assert.ok(await get(storage, row))
  })

  for (const [where, open] of [
    ['in a file', (t: TestContext) => openSqlite(fileOf(t))],
    ['in memory', () => openSqlite(':memory:')],
  ] as const)
    test(`see nothing of a transaction that is undone, ${where}`, async t => {
      const storage = open(t)
      t.after(() => storage.close())
      await storage.addEnvironment(environment(1))
      await storage.addIntegration(integration(1, 'github'))
      const row = connection(1, 'a')
      const seen: Promise<unknown>[] = []
      const attempted = storage.authorize({
        ...draft(row, undefined),
        attempt: {
          stateHash: 's',
          // The row stands there already, but is not committed.
          outcome() {
            seen.push(get(storage, row), storage.connectionById(1, row.id))
            throw new Error('undone')
          },
        },
      })
      await assert.rejects(attempted, /undone/)
      assert.deepEqual(await Promise.all(seen), [undefined, undefined])
      assert.ok(await add(storage, row))
    })
})
