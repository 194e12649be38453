/** The part of the storage contract on searches: what is found by an index is what a look at every row would find. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Connection } from '../src/core/connection.ts'
import type { EndUser } from '../src/core/end-user.ts'
import type { ListFilter, Page, Storage } from '../src/core/storage.ts'
import type { Begin } from './storage.connections.ts'
import { add, at, connection, integration, numbers, person } from './storage.fixtures.ts'

/** Texts that a pattern, a query language, a case table or a tokenizer may read otherwise than as they are. */
const nasty = [
  ...[
    '"quoted"',
    "it's",
    '100%_\\',
    'a_b%c',
    '\\',
    'line\nbreak',
    '\t tab',
    'NOT "a" AND b*',
    '(or) NEAR(x y)',
    '^col:',
  ],
  ...[
    'Ünïcode',
    'ΟΔΟΣ',
    'ΟΔΟΣΑ',
    'οδοσ',
    'İstanbul',
    'ıspanak',
    'straße',
    'STRASSE',
    'e\u0301te\u0301',
    'été',
    'Ǆ',
    'ﬁn',
  ],
  ...[
    '😀😀😀',
    '👩‍👩‍👧',
    '山田太郎',
    'Иванов',
    'ИВАНОВ',
    'ﷺ',
    '\ud83d',
    'K',
    '---',
    '@@@',
    '...',
    'ada@acme.example',
    'c0000501',
  ],
  ...['aaaaaa', 'MIT', 'mit', 'Name Of', 'x'.repeat(300), '\ufdd0\ufdd1', '\uf8ff\n\nabc', 'ⅧⅧⅧ', '²²²', '一二三四'],
]

/** In ASCII without regard to case; a lone half of a pair is stored as U+FFFD. */
const plain = (text: string) => text.toWellFormed().replace(/[A-Z]/g, letter => letter.toLowerCase())

export const searchContract = (begin: Begin): void => {
  const finder =
    (storage: Storage) =>
    async (search: string, filter: ListFilter = {}, page: Page = { limit: 5000 }) =>
      (await storage.listConnections(1, { ...filter, search }, page)).map(each => each.id).join()

  test('a search finds what was added, renamed, restored and merged, and nothing that is gone or of another environment', async t => {
    const { storage, second } = await begin(t)
    const find = finder(second)
    await storage.addEndUser(person(1, 'u', { username: 'Ada Lovelace', email: 'ada@acme.example' }))
    await storage.addEndUser(person(2, 'u', { username: 'Grace Hopper' }))
    await add(storage, connection(1, 'a', { createdAt: at(1), endUserId: 'u', connectionId: 'alpha-one' }))
    await add(storage, connection(1, 'b', { createdAt: at(2), connectionId: 'alpha-two' }))
    await add(storage, connection(2, 'a', { endUserId: 'u', connectionId: 'only-there' }))
    for (const [search, ids] of [
      ['alpha', 'b,a'],
      ['PHA-O', 'a'],
      ['lovelace', 'a'],
      ['acme.EX', 'a'],
      ['ace\nada', ''],
      ['only-there', ''],
      ['hopper', ''],
      ['nowhere', ''],
    ] as const)
      assert.equal(await find(search), ids, search)
    assert.deepEqual((await second.listConnections(2, { search: 'hopper' }, { limit: 9 })).length, 1)

    await storage.updateEndUser(person(1, 'u', { username: 'Augusta King', fullName: 'the countess' }))
    for (const [search, ids] of [
      ['lovelace', ''],
      ['acme', ''],
      ['augusta', 'a'],
      ['COUNTESS', 'a'],
    ] as const)
      assert.equal(await find(search), ids, search)
    await storage.tellEndUser(person(1, 'v', { username: 'Augusta King', email: 'king@acme.example' }))
    assert.equal(await find('king@'), 'a')
    await storage.patchConnection(1, 'b', { endUserId: 'u' }, at(3))
    assert.equal(await find('countess'), 'b,a')
    await storage.addIntegration(integration(1, 'other'))
    assert.equal(await find('countess', { integrationKeys: ['other'] }), '')

    // What a restore writes over has another name from then on.
    await storage.restoreEndUsers(1, [person(1, 'w', { username: 'restored one' })])
    const back = connection(1, 'c', { connectionId: 'brought back', endUserId: 'w', createdAt: at(4) })
    await storage.restoreConnections(
      1,
      [{ connection: back }, { connection: connection(1, 'b', { connectionId: 'beta-two', createdAt: at(2) }) }],
      () => 'write',
    )
    for (const [search, ids] of [
      ['brought', 'c'],
      ['RESTORED', 'c'],
      ['alpha-two', ''],
      ['beta-two', 'b'],
    ] as const)
      assert.equal(await find(search), ids, search)

    await storage.deleteConnection(1, 'b', at(5), 'a')
    assert.equal(await find('beta-two'), '')
    await storage.deleteEndUser(1, 'w', at(6))
    assert.equal(await find('restored'), '')
    assert.equal(await find('brought'), '')
    // The name is free again.
    await add(storage, connection(1, 'd', { connectionId: 'brought back' }))
    assert.equal(await find('brought'), 'd')
  })

  test('a search finds, in any text, with any filter and on any page, what a look at every row finds', async t => {
    const { storage, second } = await begin(t)
    await storage.addIntegration(integration(1, 'other'))
    const random = numbers(20_261_126)
    const one = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T
    const text = () => Array.from({ length: 1 + Math.floor(random() * 3) }, () => one(nasty)).join('')
    const people: EndUser[] = Array.from({ length: 40 }, (_, n) =>
      person(1, `p${n}`, {
        username: `${n} ${text()}`,
        ...(random() < 0.5 ? { fullName: text() } : {}),
        ...(random() < 0.5 ? { email: text() } : {}),
        ...(random() < 0.3 ? { organization: { id: one(['acme', 'other']) } } : {}),
      }),
    )
    const rows: Connection[] = Array.from({ length: 300 }, (_, n) =>
      connection(1, `r${n}`, {
        connectionId: `${text()} ${n}`,
        endUserId: random() < 0.5 ? one(people).id : '',
        integrationKey: one(['github', 'other']),
        tags: random() < 0.5 ? { plan: one(['pro', 'free']) } : {},
        createdAt: at(Math.floor(random() * 50)),
      }),
    )
    await storage.restoreEndUsers(1, people)
    await storage.restoreConnections(
      1,
      rows.map(each => ({ connection: each })),
      () => 'leave',
    )
    const sorted = rows.toSorted(
      (a, b) => b.createdAt.getTime() - a.createdAt.getTime() || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0),
    )
    const ids = (search: string, fits: (row: Connection, user: EndUser | undefined) => boolean = () => true) =>
      sorted.flatMap(row => {
        const user = people.find(each => each.id === row.endUserId)
        const texts = [row.connectionId, user?.username, user?.fullName, user?.email]
        const found = texts.some(each => each !== undefined && plain(each).includes(plain(search)))
        return found && fits(row, user) ? [row.id] : []
      })
    const find = finder(second)
    const parts = Array.from({ length: 40 }, () => {
      const points = [...one(rows.map(each => each.connectionId))]
      const start = Math.floor(random() * points.length)
      return points.slice(start, start + 1 + Math.floor(random() * 12)).join('')
    })
    const upper = nasty.filter(() => random() < 0.3).map(each => each.toUpperCase())
    for (const search of [...nasty, ...upper, ...parts, 'p1', '1 ', 'nowhere at all']) {
      const all = ids(search)
      const told = JSON.stringify(search)
      assert.equal(await find(search), all.join(), told)
      const [endUserId, connectionId] = [one(people).id, one(rows).connectionId]
      const filters: readonly [ListFilter, Parameters<typeof ids>[1]][] = [
        [{ endUserId }, row => row.endUserId === endUserId],
        [{ connectionId }, row => row.connectionId === connectionId],
        [{ integrationKeys: ['other'] }, row => row.integrationKey === 'other'],
        [{ organizationId: 'acme' }, (_, user) => user?.organization?.id === 'acme'],
        [{ tags: { plan: 'pro' } }, row => row.tags['plan'] === 'pro'],
        [
          { tags: { plan: 'free' }, organizationId: 'other', integrationKeys: ['github', 'other'] },
          (row, user) => row.tags['plan'] === 'free' && user?.organization?.id === 'other',
        ],
      ]
      const [filter, fits] = one(filters)
      if (random() < 0.6)
        assert.equal(await find(search, filter), ids(search, fits).join(), `${told} ${JSON.stringify(filter)}`)
      const skip = Math.floor(random() * (all.length + 1))
      if (random() < 0.3)
        assert.equal(await find(search, {}, { limit: 3, skip }), all.slice(skip, skip + 3).join(), told)
      const after = sorted.find(each => each.id === all[skip])
      if (after) assert.equal(await find(search, {}, { limit: 3, after }), all.slice(skip + 1, skip + 4).join(), told)
    }
  })

  test('a search finds more rows than are sorted, on every page, and all that one person has', async t => {
    const { storage, second } = await begin(t)
    await storage.restoreEndUsers(1, [
      person(1, 'u', { username: 'everybody' }),
      person(1, 'v', { username: 'nobody' }),
    ])
    const rows = Array.from({ length: 2500 }, (_, n) =>
      connection(1, `m${n}`, { createdAt: at(n), connectionId: `${n % 2 ? 'many' : 'other'}-${n}`, endUserId: 'u' }),
    )
    await storage.restoreConnections(
      1,
      rows.map(each => ({ connection: each })),
      () => 'leave',
    )
    const find = finder(second)
    const newest = rows.toReversed().map(each => each.id)
    const odd = newest.filter((_, n) => n % 2 === 0)
    assert.equal(await find('many-'), odd.join())
    assert.equal(await find('MANY', {}, { limit: 5 }), odd.slice(0, 5).join())
    assert.equal(await find('many', {}, { limit: 5, skip: 1200 }), odd.slice(1200, 1205).join())
    assert.equal(await find('everybody', {}, { limit: 2 }), newest.slice(0, 2).join())
    assert.equal(await find('everybody', {}, { limit: 9000 }), newest.join())
    assert.equal(await find('many-7', { endUserId: 'v' }), '')
    assert.equal(await find('many-777'), 'm777')
    assert.equal(await find('nobody'), '')
  })
}
