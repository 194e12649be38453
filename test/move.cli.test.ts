/** `mortise export` and `import` as processes: what they print, and what they refuse. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { environmentNamed } from '../src/core/setup.ts'
import { tempFolder } from './harness.ts'
import { asCopies, filled, linesOf, passphrase, run } from './move-cli.ts'
import { exported, fill, newSettings, open } from './move-world.ts'
import { bin, environment, mortise } from './process.ts'

test('what one machine exports, an empty one imports: the same, to the last character', async t => {
  const { settings, lines, file } = await filled(t, 1200)
  const made = await run(settings, ['export', file, '--env', 'acme'])
  assert.deepEqual([made.code, made.stdout], [0, ''], made.stderr)
  assert.match(made.stderr, /^Exported the environment "acme" \(1,200 connections, 0 end users\) to .*This is a copy/)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(join(file, '..')), ['acme.mortise'], 'nothing is left beside it')
  assert.ok(!readFileSync(file).includes('access-'))
  const to = newSettings(t)
  const restored = await run(to, ['import', file])
  assert.equal(restored.code, 0, restored.stderr)
  assert.equal(restored.stdout, 'Imported the environment "acme": 1,200 connections.\n')
  assert.match(restored.stderr, /^It was a copy, not a move/)
  assert.deepEqual(await linesOf(t, to), asCopies(lines))
  const again = await run(to, ['import', file])
  assert.equal(again.stdout, 'Imported the environment "acme": 0 connections; 1,200 were there already.\n')
  assert.deepEqual(await linesOf(t, to), asCopies(lines))
})

test('a move freezes, is told, is imported as it is, and is undone by name only', async t => {
  const { settings, lines, file } = await filled(t, 30)
  const made = await run(settings, ['export', file, '--move', '--env', 'acme'])
  assert.equal(made.code, 0, made.stderr)
  assert.match(made.stderr, /^The environment "acme" is frozen now.*\nExported .* It stays frozen here\./)
  assert.match((await mortise(['env', 'show', '--env', 'acme'], settings)).stdout, /^Frozen +since \d{4}-/m)
  const to = newSettings(t)
  assert.equal((await run(to, ['import', file])).stderr, '')
  assert.deepEqual(await linesOf(t, to), lines)
  const unsure = await mortise(['env', 'unfreeze', '--env', 'acme'], settings)
  assert.equal(unsure.code, 2)
  assert.match(unsure.stderr, /If no hub has imported the file .* mortise env unfreeze --not-imported/)
  const undone = await mortise(['env', 'unfreeze', '--not-imported', '--env', 'acme'], settings)
  assert.match(undone.stdout, /lives on here\. Destroy the file/)
  assert.match((await mortise(['env', 'unfreeze', '--env', 'acme'], settings)).stdout, /is not frozen/)
})

test('the passphrase comes from standard input or a file; wrong, short and missing ones are told, and change nothing', async t => {
  const { settings, file } = await filled(t, 3)
  const short = await run(settings, ['export', file, '--env', 'acme'], 'short')
  assert.equal(short.code, 1)
  assert.match(short.stderr, /at least 12 characters/)
  const none = await run(settings, ['export', file, '--env', 'acme'], '')
  assert.equal(none.code, 2)
  assert.match(none.stderr, /The passphrase is empty/)
  assert.deepEqual(readdirSync(join(file, '..')), [])
  const secret = join(tempFolder(t), 'passphrase')
  writeFileSync(secret, `${passphrase}\n`)
  const withFile = { ...settings, MORTISE_PASSPHRASE_FILE: secret }
  assert.equal((await mortise(['export', file, '--env', 'acme'], withFile)).code, 0)
  const twice = await mortise(['export', file, '--env', 'acme'], withFile)
  assert.equal(twice.code, 1)
  assert.match(twice.stderr, /There is a file .* already/)
  const to = newSettings(t)
  const wrong = await run(to, ['import', file], 'another passphrase')
  assert.equal(wrong.code, 1)
  assert.match(wrong.stderr, /^mortise: The passphrase does not open this file/)
  assert.ok(!existsSync(to['MORTISE_DATABASE_URL'] ?? ''), 'not even a database was made')
  assert.equal((await mortise(['import', file], { ...to, MORTISE_PASSPHRASE_FILE: secret })).code, 0)
  const absent = await mortise(['import', file], { ...to, MORTISE_PASSPHRASE_FILE: '/nowhere' })
  assert.match(absent.stderr, /MORTISE_PASSPHRASE_FILE names \/nowhere, which does not exist/)
  assert.match((await run(to, ['import', '/nowhere'])).stderr, /There is no file \/nowhere/)
  const given = await mortise(['export', file, '--passphrase', 'x'], settings)
  assert.deepEqual([given.code, /Unknown option '--passphrase'/.test(given.stderr)], [2, true])
})

test('an export goes to standard output too, alone', async t => {
  const { settings, lines, file } = await filled(t, 3)
  const child = spawn(process.execPath, [bin, 'export', '-', '--env', 'acme'], { env: environment(settings) })
  const pieces: Buffer[] = []
  child.stdout.on('data', piece => pieces.push(piece))
  child.stdin.end(passphrase)
  assert.deepEqual(await once(child, 'close'), [0, null])
  writeFileSync(file, Buffer.concat(pieces))
  const to = newSettings(t)
  assert.equal((await run(to, ['import', file])).code, 0)
  assert.deepEqual(await linesOf(t, to), asCopies(lines))
})

test('a file that was damaged is noticed before anything is written', async t => {
  const { settings, file } = await filled(t, 900)
  assert.equal((await run(settings, ['export', file, '--env', 'acme'])).code, 0)
  const whole = readFileSync(file)
  const chunk = 52 + 5 + 16 + 64 * 1024
  const flipped = Buffer.from(whole)
  flipped[whole.length - 50] = (flipped[whole.length - 50] ?? 0) ^ 1
  const end = whole.length - ((whole.length - 52) % (5 + 16 + 64 * 1024))
  const damage: Record<string, Buffer> = {
    'cut short': whole.subarray(0, -100),
    'the final chunk is gone': whole.subarray(0, end),
    'a byte is another': flipped,
    'two chunks are swapped': Buffer.concat([
      whole.subarray(0, 52),
      whole.subarray(chunk, 2 * chunk - 52),
      whole.subarray(52, chunk),
      whole.subarray(2 * chunk - 52),
    ]),
  }
  const to = newSettings(t)
  for (const [name, bytes] of Object.entries(damage)) {
    chmodSync(file, 0o600)
    writeFileSync(file, bytes)
    const { code, stderr } = await run(to, ['import', file])
    assert.equal(code, 1, name)
    assert.match(stderr, /^mortise: The file was (cut short|changed)/, name)
    assert.ok(!existsSync(to['MORTISE_DATABASE_URL'] ?? ''), `${name}: nothing was written`)
  }
})

test('what stands in the way is told by name, and stays', async t => {
  const { settings, file } = await filled(t, 5)
  assert.equal((await run(settings, ['export', file, '--env', 'acme'])).code, 0)
  const to = newSettings(t)
  const rooms = await open(t, to)
  const own = await fill(rooms, 2)
  const before = await exported(rooms, own)
  const taken = await run(to, ['import', file])
  assert.equal(taken.code, 1)
  assert.match(taken.stderr, /another environment "acme" here, and it is not empty.*--env NAME/)
  const named = await run(to, ['import', file, '--env', 'Two Words'])
  assert.match(named.stderr, /"Two Words" can't name an environment/)
  assert.equal((await run(to, ['import', file, '--env', 'other'])).code, 0)
  const elsewhere = await run(to, ['import', file, '--env', 'third'])
  assert.match(elsewhere.stderr, /is here already, as "other"; a hub has it once/)
  assert.deepEqual((await exported(rooms, own)).slice(1), before.slice(1))
  // One that was refreshed from another copy since.
  const other = await environmentNamed(rooms.hub.context, 'other')
  const sealer = await rooms.hub.context.sealerOf(other.id)
  const row = await rooms.storage.connection(other.id, 'github', 'c3')
  assert.ok(row)
  const access = sealer.seal(['connections', row.id, 'access'], '["another",{}]')
  await rooms.storage.restoreConnections(other.id, [{ connection: { ...row, access } }], () => 'write')
  const conflict = await run(to, ['import', file, '--env', 'other'])
  assert.equal(conflict.code, 1)
  assert.match(conflict.stdout, /0 connections; 4 were there already/)
  assert.match(conflict.stderr, /1 could not be restored, .*\n {2}the connection "c3" through github \([0-9a-f]{24}\)/)
})
