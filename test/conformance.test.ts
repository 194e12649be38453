/** docs/conformance.md maps every requirement to a test: the file and the name must be there, word for word. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

const root = new URL('../', import.meta.url)
const rows = [
  ...readFileSync(new URL('docs/conformance.md', root), 'utf8').matchAll(/^\| (\d+) \| (.+?) \| (.+?) \|$/gm),
].map(([, number = '', what = '', where = '']) => ({ number: Number(number), what, where }))

const required = Array.from({ length: 111 }, (_, index) => index + 1)

test('every requirement has its line, and none is still to come', () => {
  const numbers = new Set(rows.map(row => row.number))
  assert.deepEqual(
    required.filter(number => !numbers.has(number)),
    [],
  )
  for (const { number, what } of rows) assert.doesNotMatch(what, /to come|later|not yet/i, `${number}: ${what}`)
})

test('every line names a test that exists', () => {
  assert.ok(rows.length >= required.length)
  for (const { number, where } of rows) {
    const [file = '', name = ''] = where.split(' › ')
    assert.ok(existsSync(new URL(file, root)), `${number}: there is no ${file}`)
    const text = readFileSync(new URL(file, root), 'utf8')
    const quoted = [`'${name}'`, `"${name}"`, `\`${name}\``].some(each => text.includes(`test(${each}`))
    assert.ok(quoted, `${number}: ${file} has no test named "${name}"`)
  }
})
