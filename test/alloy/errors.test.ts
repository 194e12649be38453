/** The dialect's errors: docs/errors.md held equal to the code, and what no answer may do. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { type ErrorCode, errorTable, MortiseError } from '../../src/core/errors.ts'
import { redirectError, toError } from '../../src/http/alloy/errors.ts'
import { errorShape } from '../../src/http/alloy/shapes.ts'

const codes = Object.keys(errorTable) as ErrorCode[]

test('docs/errors.md names the status, code and redirect error of every core code, row by row', () => {
  const text = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')
  const section = text.slice(text.indexOf('## The Alloy dialect'))
  const rows = [...section.matchAll(/^\| `(\w+)` \| (\d+) \| `(\w+)` \| `(\w+)` \|$/gm)].map(row => row.slice(1))
  const right = codes.map(code => {
    const { status, body } = toError(new MortiseError(code), 'https://hub.example', 'r')
    return [code, String(status), body.code, redirectError[code]]
  })
  assert.deepEqual(rows, right)
})

test('every error has both shapes, and none is a 422', () => {
  for (const code of codes) {
    const { status, body } = toError(new MortiseError(code, 'Why.'), 'https://hub.example', 'r-1')
    errorShape.parse(body)
    assert.notEqual(status, 422)
    assert.deepEqual([body.message, body.error.message, body.error.code], ['Why.', 'Why.', body.code])
    assert.match(body.error.docs, /^https:\/\/hub\.example\/docs\//)
  }
})

test('every page that an error names has the heading that it names', () => {
  const reasons = [
    'end_user_unknown',
    'connection_unknown',
    'redirect_not_allowed',
    'kind_unknown',
    'code_unknown',
    'no_connections',
  ] as const
  for (const reason of reasons) {
    const { body } = toError(new MortiseError('invalid_request', 'Why.', { reason }), 'https://hub.example', 'r')
    const [, page = '', anchor = ''] = /\/docs\/([\w-]+)#([\w-]+)$/.exec(body.error.docs) ?? []
    const text = readFileSync(new URL(`../../docs/${page}.md`, import.meta.url), 'utf8')
    assert.ok(text.includes(`id="${anchor}"`), `docs/${page}.md has no <a id="${anchor}">`)
  }
})
