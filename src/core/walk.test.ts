/** What a walk tells when something breaks that nobody thought of. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import type { Json } from './credential.ts'
import type { ActionAnswer } from './run-action.ts'
import { listAction, type Walked, walk } from './walk.ts'

const hubspot = loadCatalogue().get('hubspot')
assert.ok(hubspot)

const page = (results: Json[], after: string) => ({
  status: 200,
  headers: {},
  body: { results, paging: { next: { after } } },
})

const walked = async (pages: { body: object }[], from?: string): Promise<Walked[]> => {
  const got: Walked[] = []
  const rest = pages[Symbol.iterator]()
  const options = { max: 100, ...(from === undefined ? {} : { from }) }
  for await (const each of walk(
    hubspot,
    listAction(hubspot, '/x'),
    {},
    options,
    async () => rest.next().value as ActionAnswer,
  ))
    got.push(each)
  return got
}

/** An answer that breaks whoever looks at it. */
const breaks = (body: object, key: string): object =>
  Object.defineProperty({ ...body }, key, {
    enumerable: true,
    get() {
      throw new RangeError('planted')
    },
  })

test('what was handed out before is counted, and can be gone on from', async () => {
  const second = page([3, 4], 'c')
  for (const [strange, items, next] of [
    // Before an item of the page was taken, and after the last one.
    [{ ...second, body: breaks(second.body, 'results') }, 2, ['b', 0]],
    [{ ...second, body: breaks(second.body, 'paging') }, 4, ['b', 2]],
  ] as const) {
    const got = await walked([page([1, 2], 'b'), strange])
    assert.equal(got.length, items + 1)
    const last = got.at(-1)
    assert.ok(last && 'failed' in last)
    const { error, ...told } = last.failed
    assert.deepEqual([error.code, (error.cause as Error).message], ['internal', 'planted'])
    assert.deepEqual(told, { items, pages: 2, next: Buffer.from(JSON.stringify(next)).toString('base64url') })
    const more = await walked([page([3, 4, 5], 'c'), page([], '')], told.next)
    assert.deepEqual(
      more.flatMap(each => ('item' in each ? [each.item] : [])),
      [3, 4, 5].slice(next[1]),
    )
  }
})

test('where nothing was handed out, it is thrown', async () => {
  await assert.rejects(walked([{ ...page([], ''), body: breaks({}, 'results') }]), { code: 'internal' })
})
