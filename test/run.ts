/**
 * `npm test`: all tests, or those of the files that are named (`npm test -- test/cli.test.ts`). What costs the most there is
 * that processes and hubs start: the hub is built once, for the tests that run its commands, an empty database is made once,
 * and what is compiled is kept.
 */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'mortise-test-'))
const run = (args: readonly string[], env: NodeJS.ProcessEnv = {}): number | null =>
  spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } }).status

const all = ['src', 'packages', 'app', 'test'].map(room => `${room}/**/*.test.ts`)
const named = process.argv.slice(2)
try {
  const cache = { NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/mortise-test') }
  const hub = join(folder, 'hub', 'mortise.js')
  const empty = { MORTISE_DATA_DIR: join(folder, 'empty'), MORTISE_ROOT_KEY: randomBytes(32).toString('base64') }
  const settings = { ...cache, TEST_HUB: hub, TEST_DATABASE: join(folder, 'empty', 'mortise.db') }
  // A test that waits rests a core, so that there are more of them at once than cores.
  const options = ['--max-semi-space-size=64', '--test', '--test-concurrency=3', '--test-timeout=180000']
  process.exitCode =
    run(['bin/build.ts', join(folder, 'hub')], cache) ||
    run([hub, 'migrate'], { ...cache, ...empty }) ||
    (run([...options, ...(named.length > 0 ? named : all)], settings) ?? 1)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
