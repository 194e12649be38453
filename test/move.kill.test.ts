/** `mortise export` and `import` that are killed, on both engines, and what is written while somebody exports. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, statSync } from 'node:fs'
import { after, before, suite, test } from 'node:test'
import { environmentNamed } from '../src/core/setup.ts'
import { openStorage } from '../src/storage/open.ts'
import { later } from './harness.ts'
import { asCopies, filled, linesOf, passphrase, run } from './move-cli.ts'
import { newSettings, open, type Settings } from './move-world.ts'
import { type PostgresServer, skip, startPostgres } from './postgres.ts'
import { bin, environment } from './process.ts'

/** Kills a command once `so`; answers how it ended. */
const killWhen = async (settings: Settings, args: string[], so: () => boolean | Promise<boolean>) => {
  const child = spawn(process.execPath, [bin, ...args], { env: environment(settings), stdio: 'pipe' })
  child.stdin.end(passphrase)
  const closed = once(child, 'close')
  while (child.exitCode === null && !(await so())) await later(5)
  child.kill('SIGKILL')
  return (await closed)[1]
}

test('an export that is killed leaves no file of that name, and the next one is whole', async t => {
  const { settings, lines, file } = await filled(t, 4000)
  const part = `${file}.part`
  const signal = await killWhen(
    settings,
    ['export', file, '--env', 'acme'],
    () => existsSync(part) && statSync(part).size > 100_000,
  )
  assert.equal(signal, 'SIGKILL')
  assert.ok(existsSync(part) && !existsSync(file))
  const to = newSettings(t)
  const half = await run(to, ['import', part])
  assert.match(half.stderr, /cut short/)
  assert.equal((await run(settings, ['export', file, '--env', 'acme'])).code, 0)
  assert.ok(!existsSync(part))
  assert.equal((await run(to, ['import', file])).code, 0)
  assert.deepEqual(await linesOf(t, to), asCopies(lines))
})

const killed = (name: string, database: () => Promise<string | undefined>) =>
  test(`an import that is killed again and again, and run to its end, is the same: ${name}`, async t => {
    const { settings, lines, file } = await filled(t, 4000)
    assert.equal((await run(settings, ['export', file, '--env', 'acme'])).code, 0)
    const to = newSettings(t, await database())
    const rooms = await open(t, to)
    const count = async () => {
      const found = (await rooms.storage.environments()).find(each => each.name === 'acme')
      return found ? rooms.storage.snapshot(found.id, async of => of.counts.connections) : 0
    }
    const seen = [0]
    for (const atLeast of [500, 1500, 2500]) {
      assert.equal(await killWhen(to, ['import', file], async () => (await count()) >= atLeast), 'SIGKILL')
      seen.push(await count())
    }
    assert.deepEqual(
      seen,
      seen.toSorted((a, b) => a - b),
    )
    assert.ok(
      seen.every(each => each % 500 === 0 && each < 4000),
      `whole transactions, and not all: ${seen}`,
    )
    const last = await run(to, ['import', file])
    assert.equal(last.code, 0, last.stderr)
    assert.match(last.stdout, /connections; [\d,]+ were there already/)
    assert.deepEqual(await linesOf(t, to), asCopies(lines))
  })

killed('SQLite', async () => undefined)

if (skip) test('moves on Postgres', { skip }, () => {})
else
  suite('on Postgres', () => {
    let server: PostgresServer
    before(async () => {
      server = await startPostgres()
    })
    after(() => server.close())
    const database = async () => (await server.newDatabase()).url

    killed('Postgres', database)

    test('from Postgres to SQLite and from SQLite to Postgres behind a pooler', async t => {
      const { settings, lines, file } = await filled(t, 700, await database())
      const [sqlite, pooled] = [newSettings(t), newSettings(t, (await server.newDatabase()).pooled)]
      for (const [from, to, name] of [
        [settings, sqlite, 'one'],
        [sqlite, pooled, 'two'],
      ] as const) {
        const each = `${file}.${name}`
        const made = await run(from, ['export', each, '--move', '--env', 'acme'])
        assert.equal(made.code, 0, made.stderr)
        const restored = await run(to, ['import', each])
        assert.equal(restored.code, 0, restored.stderr)
        assert.deepEqual(await linesOf(t, to), lines)
      }
    })

    test('an export is of one moment, whatever is written meanwhile', async t => {
      const { rooms, lines, settings } = await filled(t, 1200, await database())
      const { id } = await environmentNamed(rooms.hub.context, 'acme')
      const other = await openStorage(settings['MORTISE_DATABASE_URL'] ?? '')
      t.after(() => other.close())
      const ids = lines.filter(line => line.startsWith('["connection"')).map(line => JSON.parse(line)[1].id)
      const seen: string[] = []
      await rooms.storage.snapshot(id, async of => {
        for await (const page of of.connections()) {
          seen.push(...page.map(each => each.connection.id))
          await other.deleteConnection(id, ids.at(-seen.length) ?? '', new Date())
        }
        for await (const page of of.deleted()) seen.push(...page.map(each => `deleted ${each.id}`))
      })
      assert.deepEqual(seen, ids)
      assert.equal(await other.snapshot(id, async of => of.counts.connections), 1197)
    })
  })
