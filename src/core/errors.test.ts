import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { suite, test } from 'node:test'
import { errorTable, MortiseError, SetupError, toMortiseError } from './errors.ts'

suite('the table of codes', () => {
  test('is the one of docs/errors.md, row by row', () => {
    const text = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')
    const table = /^\| Code \| Who acts \| Retry helps \| Means \|\n\|[-|]+\|\n((?:\|.*\|\n)+)/m.exec(text)?.[1] ?? ''
    const documented = table
      .trimEnd()
      .split('\n')
      .map(line => line.slice(1, -1).split('|'))
      .map(cells => cells.map(cell => cell.trim()))
    const own = Object.entries(errorTable).map(([code, { who, retry, sentence }]) => [
      `\`${code}\``,
      who,
      retry ? 'yes' : 'no',
      sentence,
    ])
    assert.deepEqual(documented, own)
  })

  test('has one whole sentence a code', () => {
    for (const { sentence } of Object.values(errorTable)) assert.match(sentence, /^[A-Z][^.]*\.$/)
  })
})

suite('a MortiseError', () => {
  test('says the sentence of its code where it is given none', () => {
    const error = new MortiseError('not_found')
    assert.equal(error.message, errorTable.not_found.sentence)
    assert.deepEqual([error.name, error.code, error.details], ['MortiseError', 'not_found', {}])
    assert.equal('cause' in error, false)
    assert.equal(new MortiseError('not_found', 'No such thing.').message, 'No such thing.')
  })

  test('keeps its cause apart from its details, which a dialect may show', () => {
    const cause = new Error('planted')
    const error = new MortiseError('provider_unavailable', 'Down.', { providerStatus: 503, retryAfter: 7, cause })
    assert.equal(error.cause, cause)
    assert.deepEqual(error.details, { providerStatus: 503, retryAfter: 7 })
    assert.ok(!JSON.stringify(error).includes('planted'))
  })

  test('is made of anything else that was thrown: internal, its cause kept for the log', () => {
    const known = new MortiseError('conflict')
    assert.equal(toMortiseError(known), known)
    for (const thrown of [new TypeError('planted'), 'planted', { planted: true }, new SetupError('planted')]) {
      const error = toMortiseError(thrown)
      assert.equal(error.code, 'internal')
      assert.equal(error.message, errorTable.internal.sentence)
      assert.equal(error.cause, thrown)
    }
  })
})
