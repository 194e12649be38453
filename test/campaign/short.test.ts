/** The fault campaign in its short form, and a crowd of readers: real processes, on both engines. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { skip } from '../postgres.ts'
import { crowd } from './crowd.ts'

const main = fileURLToPath(new URL('./main.ts', import.meta.url))

const faults = async (...args: string[]) => {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', chunk => {
      output += chunk
    })
  const [code] = (await once(child, 'close')) as [number]
  return { code, output }
}

for (const engine of ['sqlite', 'postgres'] as const)
  suite(`four hubs on ${engine}`, { skip: engine === 'postgres' && skip }, () => {
    test('are killed, stopped and cut off at every step of a refresh, and lose nothing', async t => {
      const { code, output } = await faults('--short', '--engine', engine)
      t.diagnostic(output.split('\n')[0] ?? '')
      assert.equal(code, 0, output)
      assert.match(output, /double spends: 0, dead without proof: 0, lost writes: 0\n/)
    })

    test('answer a thousand readers of one token that has ended with one call', async () => {
      const { calls, answers, tokens } = await crowd({ engine, connections: 1, readers: 1000, delay: 300 })
      // No token is shown, but what was answered in place of one.
      const told = [...tokens].map(([each, count]) => [each.startsWith('status') ? each : 'a token', count])
      assert.deepEqual([calls, answers, told], [1, 1000, [['a token', 1000]]])
    })
  })

test('what is asked for wrongly is said, and nothing is run', async () => {
  for (const [args, sentence] of [
    [['--engine', 'mysql'], /--engine is sqlite, postgres or both/],
    [['--seed', 'x'], /--seed is a whole number/],
    [['--without', 'luck'], /There is no guard "luck". They are:\n {2}lease/],
    [['--fast'], /--fast/],
  ] as const) {
    const { code, output } = await faults(...args)
    assert.equal(code, 2, output)
    assert.match(output, sentence)
  }
  assert.match((await faults('--help')).output, /--without GUARD/)
  assert.match((await faults('--guards')).output, /^lease .*\nre-read /)
})
