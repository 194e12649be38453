import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { suite, type TestContext, test } from 'node:test'
import { SetupError } from '../src/core/errors.ts'
import { openStorage } from '../src/storage/open.ts'
import { openSqlite } from '../src/storage/sqlite.ts'
import { placeDatabase } from './harness.ts'
import { storageContract } from './storage.contract.ts'
import { add, at, attempt, bytes, connection, draft, environment, get, integration } from './storage.fixtures.ts'

const newFolder = () => mkdtempSync(join(tmpdir(), 'mortise-storage-'))
const folderOf = (t: TestContext): string => {
  const folder = newFolder()
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

storageContract('in memory', async () => {
  const storage = openSqlite(':memory:')
  return { storage, close: () => storage.close() }
})

storageContract('in a file', async () => {
  const folder = newFolder()
  placeDatabase({ MORTISE_DATA_DIR: folder })
  const storage = openSqlite(join(folder, 'mortise.db'))
  return {
    storage,
    async close() {
      await storage.close()
      rmSync(folder, { recursive: true })
    },
  }
})

storageContract('in a file that is open twice', async () => {
  const folder = newFolder()
  placeDatabase({ MORTISE_DATA_DIR: folder })
  const [storage, second] = [openSqlite(join(folder, 'mortise.db')), openSqlite(join(folder, 'mortise.db'))]
  return {
    storage,
    second,
    async close() {
      await storage.close()
      await second.close()
      rmSync(folder, { recursive: true })
    },
  }
})

suite('a database file', () => {
  test('keeps everything when it is closed and opened again', async t => {
    const path = join(folderOf(t), 'mortise.db')
    const before = openSqlite(path)
    await before.addEnvironment(environment(1))
    await before.addIntegration(integration(1, 'github'))
    await before.addAttempt(attempt(1, 'state', { verifier: bytes(1) }))
    await add(before, connection(1, 'a'))
    await before.close()
    const after = openSqlite(path)
    t.after(() => after.close())
    assert.deepEqual(await after.environments(), [environment(1)])
    assert.deepEqual(await after.attempt(1, 'state'), attempt(1, 'state', { verifier: bytes(1) }))
    assert.deepEqual(await get(after, connection(1, 'a')), connection(1, 'a'))
  })

  test('is made with its folder, for its owner only, whatever the umask', async t => {
    const folder = join(folderOf(t), 'new', 'data')
    const before = process.umask(0)
    t.after(() => process.umask(before))
    const storage = await openStorage(join(folder, 'mortise.db'))
    t.after(() => storage.close())
    await storage.addEnvironment(environment(1))
    assert.equal(process.umask(), 0)
    const files = readdirSync(folder)
    assert.ok(files.includes('mortise.db') && files.includes('mortise.db-wal'), files.join())
    for (const file of files) assert.equal(statSync(join(folder, file)).mode & 0o777, 0o600, file)
    assert.equal(statSync(folder).mode & 0o777, 0o700)
  })

  test('leaves the mode of a folder that is there already', async t => {
    const folder = join(folderOf(t), 'shared')
    mkdirSync(folder)
    chmodSync(folder, 0o750)
    await (await openStorage(join(folder, 'mortise.db'))).close()
    assert.equal(statSync(folder).mode & 0o777, 0o750)
  })

  test('of a newer version, with a migration that this one does not know, is refused and left alone', async t => {
    const path = join(folderOf(t), 'mortise.db')
    await openSqlite(path).close()
    const raw = new DatabaseSync(path)
    raw.exec("INSERT INTO migrations VALUES ('9999_future.sql', 0)")
    raw.close()
    const umask = process.umask()
    for (let round = 0; round < 2; round++)
      assert.throws(
        () => openSqlite(path),
        (error: unknown) => {
          assert.ok(error instanceof SetupError)
          assert.match(error.message, /written by a newer Mortise \(it has the migration 9999_future\.sql\)/)
          return true
        },
      )
    assert.equal(process.umask(), umask)
  })

  test('is named by a path, or by file: or sqlite: before it; anything else is refused', async t => {
    const folder = folderOf(t)
    for (const [name, url] of [
      ['a.db', join(folder, 'a.db')],
      ['b.db', `file:${join(folder, 'b.db')}`],
      ['c.db', `sqlite://${join(folder, 'c.db')}`],
    ] as const) {
      await (await openStorage(url)).close()
      assert.ok(statSync(join(folder, name)).isFile())
    }
    for (const url of ['mysql://db.example/x', 'file:', 'sqlite://'])
      await assert.rejects(openStorage(url), SetupError, url)
  })
})

/** Opens the storage of a path in a process of its own, waits for a line, runs `work`, and prints what it gives. */
const inChild = async (path: string, work: string) => {
  const load = (file: string) => JSON.stringify(new URL(file, import.meta.url).href)
  const script = `
    import { openSqlite } from ${load('../src/storage/sqlite.ts')}
    import * as rows from ${load('./storage.fixtures.ts')}
    const storage = openSqlite(${JSON.stringify(path)})
    process.stdin.once('data', async () => {
      const result = await (${work})(storage, rows)
      await storage.close()
      process.stdout.write(JSON.stringify(result))
      process.stdin.destroy()
    })
    process.stdout.write('ready')
  `
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const [ready] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
  assert.equal(String(ready), 'ready')
  return async (): Promise<unknown> => {
    const ended = once(child, 'close')
    const chunks: Buffer[] = []
    child.stdout.on('data', chunk => chunks.push(chunk))
    child.stdin.write('go\n')
    const [code] = await ended
    assert.equal(code, 0)
    return JSON.parse(Buffer.concat(chunks).toString())
  }
}

suite('two processes on one file', { timeout: 60_000 }, () => {
  const begin = async (t: TestContext) => {
    const path = join(folderOf(t), 'mortise.db')
    const storage = openSqlite(path)
    t.after(() => storage.close())
    await storage.addEnvironment(environment(1))
    await storage.addIntegration(integration(1, 'github'))
    return { path, storage }
  }

  test('take each attempt exactly once between them', async t => {
    const { path, storage } = await begin(t)
    const states = Array.from({ length: 100 }, (_, n) => `s${n}`)
    for (const state of states) await storage.addAttempt(attempt(1, state))
    const take = async (from: typeof storage, { at: time }: { at: typeof at }) => {
      const won: string[] = []
      for (let n = 0; n < 100; n++) if (await from.takeAttempt(1, `s${n}`, 'browser', time(1))) won.push(`s${n}`)
      return won
    }
    const go = await inChild(path, take.toString())
    const [theirs, mine] = await Promise.all([go(), take(storage, { at })])
    assert.deepEqual([...(theirs as string[]), ...mine].sort(), [...states].sort())
    for (const state of states) assert.deepEqual((await storage.attempt(1, state))?.takenAt, at(1))
  })

  test('authorize one account into one row, and lose nothing', async t => {
    const { path, storage } = await begin(t)
    const authorize = async (
      from: typeof storage,
      rows: Pick<typeof import('./storage.fixtures.ts'), 'draft' | 'connection'>,
      who = 'b',
    ) => {
      const revisions: number[] = []
      for (let n = 0; n < 50; n++) {
        const row = rows.connection(1, `${who}${n}`)
        const asked = rows.draft(row, { accountKey: 'one', endUserId: '' })
        revisions.push((await from.authorize(asked)).credentialRevision)
      }
      return revisions
    }
    const go = await inChild(path, authorize.toString())
    const [theirs, mine] = await Promise.all([go(), authorize(storage, { draft, connection }, 'a')])
    assert.equal((await storage.connections(1, {})).length, 1)
    assert.deepEqual(
      [...(theirs as number[]), ...mine].sort((a, b) => a - b),
      Array.from({ length: 100 }, (_, n) => n + 1),
    )
  })
})
