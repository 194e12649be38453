/** The script that the hub serves: small, whole, and the same code in both forms. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { runInNewContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import { classicScript } from '../../../src/http/classic-script.ts'

const moduleText = readFileSync(new URL('../src/mortise.js', import.meta.url), 'utf8')

const assertSmall = (text: string) => {
  const size = gzipSync(text).length
  assert.ok(size < 5000, `${size} bytes compressed, and 5 kB is the promise`)
}

test('both forms are under 5 kB compressed', () => {
  assertSmall(moduleText)
  assertSmall(classicScript(moduleText))
  assert.throws(() => assertSmall(moduleText + randomBytes(2000).toString('latin1')), /bytes compressed/)
})

test('the text is ASCII, so that no page can read it in a wrong encoding', () => {
  for (const text of [moduleText, classicScript(moduleText)]) assert.doesNotMatch(text, /[^\n\x20-\x7e]/)
})

test('the module imports nothing', () => {
  assert.doesNotMatch(moduleText, /^\s*import\b/m)
  assert.doesNotMatch(moduleText, /\b(eval|innerHTML|document\.write)\b/)
})

/** A page with that script tag, as far as the script looks at it while it loads. */
const load = (script: string, page: Record<string, unknown>) => {
  runInNewContext(script, page)
  return page
}

test('the classic script defines the global alloy and nothing else', () => {
  const page = load(classicScript(moduleText), { document: { currentScript: { src: 'https://hub/sdk/alloy.js' } } })
  assert.deepEqual(Object.keys(page), ['document', 'alloy'])
  assert.deepEqual(Object.keys(page['alloy'] as object).sort(), [
    'authenticate',
    'connect',
    'resume',
    'setHub',
    'setToken',
  ])
})

test('it takes the place of an element of that name, lets the page declare its own, and loads without its tag', () => {
  const page = load(classicScript(moduleText), { alloy: 'an element', document: { currentScript: null } })
  assert.equal(typeof page['alloy'], 'object')
  runInNewContext('const alloy = 1', page)
  assert.equal(runInNewContext('alloy', page), 1)
})

test('it follows a script that ends without a semicolon', () => {
  const page = load(`var before = 1\n${classicScript(moduleText)}`, { document: {} })
  assert.equal(page['before'], 1)
})

test('no text is wrapped that could not run', () => {
  const body = 'const home = import.meta.url\nconst alloy = {}\nconst connect = 1\n'
  const end = 'export { alloy, connect }\n'
  assert.match(classicScript(body + end), /globalThis\.alloy = alloy/)
  const broken: Record<string, string> = {
    'no export': body,
    'another export': `${body}export { alloy, connect, home }\n`,
    'two exports': `${body}export { alloy, connect }\nexport { alloy, connect }\n`,
    'an export of another form': `${body}export const more = 1\n${end}`,
    'a default export': `${body}export default alloy\n${end}`,
    'an import': `import { x } from './x.js'\n${body}${end}`,
    'no import.meta.url': `const alloy = {}\nconst connect = 1\n${end}`,
    'two of them': `${body}const more = import.meta.url\n${end}`,
    'another import.meta': `${body}const more = import.meta.env\n${end}`,
    'an await outside a function': `${body}await connect\n${end}`,
    'a syntax error': `${body}const = 1\n${end}`,
  }
  for (const [what, text] of Object.entries(broken)) assert.throws(() => classicScript(text), Error, what)
})
