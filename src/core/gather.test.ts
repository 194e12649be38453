/** Steps of one turn of the event loop, taken together when it ends. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { together } from './gather.ts'

test('who comes in one turn goes on when it ends, in order, and who comes then goes on in the next', async () => {
  const seen: string[] = []
  const gather = together()
  const step = (name: string) => new Promise<void>(done => gather(() => done(void seen.push(name))))
  const first = [step('a'), Promise.resolve().then(() => step('b'))]
  gather(() => gather(() => seen.push('next')))
  setImmediate(() => seen.push('the turn is over'))
  await Promise.all(first)
  assert.deepEqual(seen, ['a', 'b'])
  await new Promise(setImmediate)
  assert.deepEqual(seen, ['a', 'b', 'the turn is over', 'next'])
})

test('a step that throws ends no other, and is heard of', () => {
  const program = `import { together } from ${JSON.stringify(new URL('gather.ts', import.meta.url).href)}
const gather = together()
gather(() => { throw new Error('broken') })
gather(() => console.log('gone on'))`
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
  })
  assert.deepEqual([status, stdout], [1, 'gone on\n'])
  assert.match(stderr, /broken/)
})
