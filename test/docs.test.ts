/** docs/ as the hub serves it. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { startTestHub } from './harness.ts'

const page = async (url: string) => {
  const response = await fetch(url, { headers: { accept: 'text/html' } })
  return {
    status: response.status,
    text: await response.text(),
    policy: response.headers.get('content-security-policy'),
  }
}

test('every file of docs/ is a page: on the index, in the navigation of each other one, under its own title', async t => {
  const hub = await startTestHub(t)
  const files = readdirSync(new URL('../docs/', import.meta.url)).map(name => name.replace(/\.md$/, ''))
  const index = await page(`${hub.origin}/docs`)
  assert.equal(index.status, 200)
  assert.ok(files.length >= 7)
  for (const file of files) {
    assert.ok(index.text.includes(`href="/docs/${file}"`), `${file} is not on the index`)
    const { status, text, policy } = await page(`${hub.origin}/docs/${file}`)
    assert.equal(status, 200)
    assert.match(policy ?? '', /default-src 'none'/)
    assert.match(text, new RegExp(`href="/docs/${file}" aria-current="page"`))
    for (const other of files) assert.ok(text.includes(`href="/docs/${other}"`), `${file} does not lead to ${other}`)
    const heading = /<h1>([^<]+)<\/h1>/.exec(text)?.[1]
    assert.equal(/<title>([^<]+) · Mortise<\/title>/.exec(text)?.[1], heading)
    // Links between the pages lead to pages, not to files.
    assert.doesNotMatch(text, /href="[\w-]+\.md/)
  }
})

test('a page that is not there is a page that says so, in a browser; in a program, JSON', async t => {
  const hub = await startTestHub(t)
  for (const path of ['/docs/nope', '/docs/..%2fpackage', '/nowhere']) {
    const { status, text } = await page(hub.origin + path)
    assert.equal(status, 404)
    assert.match(text, /No such page[\s\S]*href="\/docs"/)
  }
  const json = await fetch(`${hub.origin}/nowhere`)
  assert.equal(json.status, 404)
  assert.equal(((await json.json()) as { error: { code: string } }).error.code, 'not_found')
})
