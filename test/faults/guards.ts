/**
 * Plants each fault in a copy of the code, one at a time, and watches the attack test catch it: a guard whose removal
 * nobody notices is no guard. The copy is thrown away.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Fault, plant, project } from './fault.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** A test for each: it must be caught. */
export const catchAll = (faults: readonly Fault[]): void => {
  let copy = ''
  before(() => {
    copy = mkdtempSync(join(tmpdir(), 'mortise-faults-'))
    for (const name of project) cpSync(join(root, name), join(copy, name), { recursive: true })
    // The sandbox is imported by its package name, and must be the copy's own.
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  })
  after(() => rmSync(copy, { recursive: true, force: true }))

  /** Whether the tests of that name pass in the copy, and how many ran. */
  const attack = ([file, name]: Fault['caughtBy']): Promise<{ passed: boolean; ran: number; output: string }> =>
    new Promise(done => {
      const { NODE_TEST_CONTEXT: _, ...env } = process.env
      // What a fault leaves running must not keep the test from ending.
      const args = ['--test', '--test-force-exit', '--test-reporter=tap', `--test-name-pattern=${name}`, file]
      execFile(
        process.execPath,
        args,
        { cwd: copy, env: { ...env, NODE_COMPILE_CACHE: join(copy, '.cache') }, timeout: 60_000 },
        (error, output) => {
          const count = (what: string) => Number(new RegExp(`^# ${what} (\\d+)`, 'm').exec(output)?.[1] ?? 0)
          done({ passed: !error, ran: count('pass') + count('fail') + count('cancelled'), output })
        },
      )
    })

  for (const fault of faults)
    test(`caught: ${fault.guard}`, async () => {
      const undo = plant(copy, fault)
      try {
        const { passed, ran, output } = await attack(fault.caughtBy)
        assert.ok(ran > 0, `no test of that name ran:\n${output}`)
        assert.equal(passed, false, 'the attack went unnoticed')
        // It must fail by what it asserts, not because the code no longer loads.
        assert.match(output, /AssertionError|ERR_ASSERTION/, output)
      } finally {
        undo()
      }
    })
}
