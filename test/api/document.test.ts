/** The OpenAPI document and the page that is made of it say what the hub does. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { errorTable } from '../../src/core/errors.ts'
import { openapi } from '../../src/http/api/openapi.ts'
import { routes } from '../../src/http/api/routes.ts'
import { startTestHub } from '../harness.ts'

const document = openapi(routes)

/** Every `$ref` in a part of the document. */
const refsIn = (part: unknown): string[] =>
  typeof part !== 'object' || part === null
    ? []
    : Object.entries(part).flatMap(([key, value]) => (key === '$ref' ? [String(value)] : refsIn(value)))

test('every route that the hub serves below /api/v1 is in the document, and no other', async t => {
  const hub = await startTestHub(t)
  // What the router itself holds, not the table that the document is made of.
  const served = new Set<string>()
  for (const path of Object.keys(document.paths))
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
      const response = await fetch(`${hub.origin}/api/v1${path.replaceAll(/\{\w+\}/g, 'x')}`, {
        method,
        ...(method === 'GET' ? {} : { headers: { 'content-type': 'application/json' }, body: '{"no such field":1}' }),
      })
      const text = await response.text()
      const taken = response.status !== 404 || !/ takes .*, not |There is no (GET|POST|PUT|PATCH|DELETE) /.test(text)
      if (taken) served.add(`${method} ${path}`)
    }
  const told = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map(method => `${method.toUpperCase()} ${path}`),
  )
  assert.deepEqual([...served].sort(), told.sort())
  assert.equal(told.length, routes.length)
})

test('the document stands by itself: references lead somewhere, names are unique, what varies in a path is told', () => {
  assert.equal(document['openapi'], '3.1.1')
  for (const ref of refsIn(document)) {
    const name = /^#\/components\/schemas\/(\w+)$/.exec(ref)?.[1] ?? ''
    assert.ok(document.components.schemas[name], ref)
  }
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )
  const ids = operations.map(each => each.operation.operationId)
  assert.equal(new Set(ids).size, ids.length)
  for (const { path, method, operation } of operations) {
    const varies = [...path.matchAll(/\{(\w+)\}/g)].map(match => match[1])
    const told = (operation.parameters ?? []).filter(each => each.in === 'path').map(each => each.name)
    assert.deepEqual(told, varies, path)
    for (const status of ['400', '401', '403', '500']) assert.ok(operation.responses[status], `${method} ${path}`)
    assert.match(operation.description, /Needs a key with the scope/)
  }
})

test('openapi/mortise.json is the document, and the hub serves it without a key', async t => {
  const file: unknown = JSON.parse(readFileSync(new URL('../../openapi/mortise.json', import.meta.url), 'utf8'))
  assert.deepEqual(file, JSON.parse(JSON.stringify(document)), 'run `npm run openapi`')
  const hub = await startTestHub(t)
  const response = await fetch(`${hub.origin}/api/v1/openapi.json`)
  assert.deepEqual(await response.json(), file)
})

test('the reference page has every operation, shape and error code, under the strict policy, with nothing from elsewhere', async t => {
  const hub = await startTestHub(t)
  const response = await fetch(`${hub.origin}/docs/api`, { headers: { accept: 'text/html' } })
  assert.equal(response.status, 200)
  assert.match(response.headers.get('content-security-policy') ?? '', /default-src 'none'/)
  const text = await response.text()
  for (const route of routes) {
    assert.ok(text.includes(`id="${route.id}"`), route.id)
    assert.ok(text.includes(`<code>${route.method} /api/v1${route.path}</code>`), route.path)
  }
  for (const name of Object.keys(document.components.schemas)) assert.ok(text.includes(`id="shape-${name}"`), name)
  for (const code of Object.keys(errorTable)) assert.ok(text.includes(`<td><code>${code}</code></td>`), code)
  // Every link on the page leads to a part of it, or to a page of the hub.
  const ids = new Set([...text.matchAll(/ id="([^"]+)"/g)].map(match => match[1]))
  for (const [, href = ''] of text.matchAll(/ href="([^"]+)"/g))
    assert.ok(href.startsWith('#') ? ids.has(href.slice(1)) : /^(\/|data:,)/.test(href), href)
  assert.doesNotMatch(text, / (src|href)="https?:/)
  // A table that is wider than the screen is reached by keyboard.
  assert.equal(
    text.match(/<table>/g)?.length,
    text.match(/class="scroll" role="group" aria-label="[^"]+" tabindex="0"/g)?.length,
  )
  const index = await (await fetch(`${hub.origin}/docs`, { headers: { accept: 'text/html' } })).text()
  assert.match(index, /href="\/docs\/api"/)
  const door = await fetch(`${hub.origin}/api/v1`, { headers: { accept: 'text/html' }, redirect: 'manual' })
  assert.equal(door.headers.get('location'), '/docs/api')
})
