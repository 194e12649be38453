/**
 * Every code fence and relative link of the reference documents is accounted for. With MORTISE_DOCUMENTS, a folder of their
 * files (000_….txt to 004_….txt), that is read off the documents; without it, off the fences that are kept here.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startTestHub } from '../harness.ts'
import { counts, kept, links, readDocument, rows, sha256 } from './fences.ts'
import { withPrelude } from './preludes.ts'

const folder = process.env['MORTISE_DOCUMENTS']

/** Each document's text, by its number. */
const documents = (): [number: string, text: string][] =>
  folder === undefined
    ? []
    : readdirSync(folder)
        .filter(name => /^\d{3}_.*\.txt$/.test(name))
        .sort()
        .map(name => [name.slice(0, 3), readFileSync(join(folder, name), 'utf8')])

const extracted = (): Map<string, { language?: string; text: string }> =>
  folder === undefined
    ? new Map([...kept()].map(([id, text]) => [id, { text }]))
    : new Map(
        documents().flatMap(([number, text]) =>
          readDocument(text).fences.map((each, index) => [`${number}-${String(index + 1).padStart(2, '0')}`, each]),
        ),
      )

test('all 37 fences of the five documents are in the table, each with its digest, and no others', () => {
  const found = extracted()
  assert.equal(found.size, 37)
  assert.deepEqual([...found.keys()].sort(), rows.map(row => row.id).sort())
  for (const [number, count] of Object.entries(counts))
    assert.equal([...found.keys()].filter(id => id.startsWith(number)).length, count, number)
  for (const row of rows) {
    const { text = '', language } = found.get(row.id) ?? {}
    assert.equal(sha256(text), row.sha256, row.id)
    if (language !== undefined) assert.equal(language, row.language, row.id)
  }
})

test('what is kept here is the table, byte for byte', () => {
  assert.deepEqual(
    [...kept()].map(([id, text]) => [id, sha256(text)]),
    rows.map(row => [row.id, row.sha256]),
  )
})

test('every row names a test that takes its fence', () => {
  for (const { id, file, test: name } of rows) {
    const text = readFileSync(new URL(file, import.meta.url), 'utf8')
    const quoted = [`test('${name}'`, `test("${name}"`].find(each => text.includes(each))
    assert.ok(quoted, `${id}: ${file} has no test "${name}"`)
    const [, body = ''] = text.split(quoted)
    assert.ok(body.split(/^test\(/m)[0]?.includes(`'${id}'`), `${id}: "${name}" does not take it`)
  }
})

test('a fragment has its prelude listed, and nothing else has', () => {
  const fragments = rows.filter(row => row.how === 'run with a prelude').map(row => row.id)
  assert.deepEqual(withPrelude, fragments)
})

test('every relative link of the documents is a page that the hub serves', async t => {
  const hub = await startTestHub(t)
  const linked = documents().flatMap(([, text]) => readDocument(text).links)
  for (const link of linked) assert.ok(link in links, `${link} is not accounted for`)
  if (folder !== undefined) assert.deepEqual([...new Set(linked)].sort(), Object.keys(links).sort())
  for (const [link, page] of Object.entries(links)) {
    // As a browser resolves it from a page of the hub.
    const url = new URL(link, `${hub.origin}/docs/getting-connection-id`)
    const answer = await fetch(url, { headers: { accept: 'text/html' } })
    assert.equal(answer.status, 200, link)
    const text = await answer.text()
    assert.match(text, new RegExp(`href="/docs/${page}" aria-current="page"`), link)
    // Links of our own pages, written as files, lead to pages.
    assert.doesNotMatch(text, /href="[./\w-]+\.md/, link)
    if (url.hash === '#metadata') assert.match(text, /id="metadata"/)
  }
})
