import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import type { Action } from './action.ts'
import type { Json } from './credential.ts'
import { itemsOf, nextOf, paginationOf } from './pages.ts'
import type { Paginate } from './paginate.ts'
import { listAction } from './walk.ts'

const link: Paginate = { kind: 'link' }
const nextIn = (header: string) => nextOf(link, { headers: { link: header }, body: [] }, [], undefined)

suite('the next page', () => {
  test('is the target of rel=next, however the header Link is written (RFC 8288 §3)', () => {
    for (const [header, next] of [
      ['<https://a.example/?page=2>; rel="next"', 'https://a.example/?page=2'],
      ['<https://a.example/1>; rel=prev, <https://a.example/?a=1,2&b=;>; rel=next', 'https://a.example/?a=1,2&b=;'],
      ['</x?page=2>; title="last, first; rel=next"; REL="Next last"', '/x?page=2'],
      ['<https://a.example/1>; rel="prev"; title="rel=next"', undefined],
      ['<https://a.example/1>; rel="nextish"', undefined],
      ['<https://a.example/1>; title="a; rel=next"; rel=prev', undefined],
      ['<https://a.example/1>; rel=prev; rel=next', undefined],
      [String.raw`<https://a.example/1>; title="a\"; rel=next; x=\""; rel=prev, </2>; rel=next`, '/2'],
      ['<https://a.example/1>; rel="prev"; title="x" , </2>; crossorigin; rel = "next"', '/2'],
      ['', undefined],
    ] as [string, string?][])
      assert.equal(nextIn(header), next, header)
  })

  test('is looked for in time that grows with the header alone, whatever it holds', () => {
    for (const part of ['<', '<>;', '<>;\\"', '<>;a="\\"', '<>;"\\', '; ']) {
      const header = `<a>${part.repeat(120_000)}`
      const began = performance.now()
      assert.equal(nextIn(header), undefined)
      assert.ok(performance.now() - began < 1000, `${part} took ${performance.now() - began} ms`)
    }
  })

  test('is none where the answer says so, or says nothing', () => {
    const cursor: Paginate = { kind: 'cursor', param: 'c', in: 'query', next: 'a.next', more: 'more' }
    const after = (body: Json, paginate: Paginate = cursor, items: Json[] = [1], at?: string) =>
      nextOf(paginate, { headers: {}, body }, items, at)
    assert.equal(after({ a: { next: 'x' } }), 'x')
    assert.equal(after({ a: { next: 7 }, more: true }), '7')
    for (const body of [{ a: { next: 'x' }, more: false }, { a: { next: '' } }, { a: { next: null } }, {}])
      assert.equal(after(body), undefined, JSON.stringify(body))
    const offset: Paginate = { kind: 'offset', param: 'o', in: 'query', first: 0, total: 'total' }
    assert.equal(after({ total: 3 }, offset, [1, 2]), '2')
    assert.equal(after({ total: 3 }, offset, [1], '2'), undefined)
    assert.equal(after({}, offset, [1], '2'), '3')
    assert.equal(after({}, offset, [], '3'), undefined)
    const page: Paginate = { kind: 'page', param: 'p', in: 'query', first: 0, more: 'more' }
    assert.equal(after({}, page), '1')
    assert.equal(after({ more: true }, page, [], '4'), '5')
    assert.equal(after({ more: false }, page, [1], '4'), undefined)
  })

  test('has its items where they are said to be', () => {
    const items = (body: Json, at?: string) => itemsOf({ items: at }, { headers: {}, body })
    assert.deepEqual(items([1]), [1])
    assert.deepEqual(items({ a: { b: [1] } }, 'a.b'), [1])
    assert.match(String(items({ a: [], b: [], c: 1 })), /items must name where it stands; what is a list there: a, b$/)
    assert.match(String(items({ ok: false }, 'channels')), /no list at channels in the answer; no list stands there$/)
  })
})

test('which lists come in pages: those that say so, and those that take the parameter of the definition', () => {
  const catalogue = loadCatalogue()
  const [notion, salesforce, trello] = ['notion', 'salesforce', 'trello'].map(id => {
    const provider = catalogue.get(id)
    assert.ok(provider)
    return provider
  })
  assert.ok(notion && salesforce && trello)
  const of = (name: string) => catalogue.action('notion', name) as Action
  assert.equal(paginationOf(notion, of('list-users')), notion.api.paginate)
  assert.equal(paginationOf(notion, of('get-page')), undefined)
  assert.equal(paginationOf(notion, { ...of('list-users'), paginate: false }), undefined)
  assert.equal(paginationOf(notion, { ...of('list-users'), method: 'POST' }), undefined)
  assert.deepEqual(paginationOf(notion, { ...of('get-page'), paginate: { kind: 'default', items: 'x' } }), {
    ...notion.api.paginate,
    items: 'x',
  })
  // A path alone is a list of the definition's; where that says nothing, nothing is known.
  assert.equal(paginationOf(salesforce, listAction(salesforce, '/x')), salesforce.api.paginate)
  assert.equal(paginationOf(trello, listAction(trello, '/x')), undefined)
  assert.throws(() => paginationOf(trello, { ...of('list-users'), paginate: { kind: 'default' } }), {
    code: 'integration_misconfigured',
  })
})
