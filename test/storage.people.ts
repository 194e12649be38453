/** The part of the storage contract on people: who a connection is of, and the tags that it is found by. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toReadRow } from '../src/core/connection.ts'
import type { EndUser } from '../src/core/end-user.ts'
import type { ListFilter, Page, Storage } from '../src/core/storage.ts'
import type { Begin } from './storage.connections.ts'
import { add, at, bytes, connection, draft, full, get, integration, person } from './storage.fixtures.ts'

const whole: Partial<EndUser> = {
  fullName: 'Ünïcode "Ada"',
  email: 'ada@acme.example',
  tags: { plan: 'pro', 'a.b': '\\' },
  organization: { id: 'acme', name: 'Acme' },
}

const hot = async (storage: Storage, id: string, environmentId = 1) => {
  const row = connection(environmentId, id)
  const found = await storage.hot(environmentId, row.integrationKey, row.connectionId, false)
  return found && { ...found }
}

export const peopleContract = (begin: Begin): void => {
  test('what an app tells of a person is kept whole, and renamed with the rest', async t => {
    const { storage, second } = await begin(t)
    const ada = person(1, 'a', whole)
    assert.equal(await storage.addEndUser(ada), true)
    assert.deepEqual(await second.endUser(1, { id: 'a' }), ada)
    assert.deepEqual(await second.endUsers(1), [ada])
    const { organization: _, email: __, ...less } = ada
    const renamed = { ...less, username: 'new', updatedAt: at(3) }
    assert.equal(await storage.updateEndUser(renamed), true)
    assert.deepEqual(await second.endUser(1, { username: 'new' }), renamed)
  })

  test('a person who is told of is made once, and what is not told stays', async t => {
    const { storage, second } = await begin(t)
    const bare = person(1, 'a', { username: 'u1' })
    assert.deepEqual(await storage.tellEndUser(bare), bare)
    // Told the same again, nothing moves.
    assert.deepEqual(await second.tellEndUser(person(1, 'b', { username: 'u1', updatedAt: at(5) })), bare)
    const told = { ...bare, ...whole, updatedAt: at(6) }
    assert.deepEqual(await second.tellEndUser(person(1, 'c', { ...whole, username: 'u1', updatedAt: at(6) })), told)
    const email = { email: 'new@acme.example', updatedAt: at(7) }
    const after = { ...told, ...email }
    assert.deepEqual(await storage.tellEndUser(person(1, 'd', { username: 'u1', ...email })), after)
    assert.deepEqual(await second.endUser(1, { id: 'a' }), after)
    assert.equal((await second.endUsers(1)).length, 1)
    // Another environment has its own.
    assert.equal((await storage.tellEndUser(person(2, 'a', { username: 'u1' }))).email, undefined)
  })

  test('twenty who tell of one person at once make one, and lose nothing that was told', async t => {
    const { storage, second } = await begin(t)
    const tellings: Partial<EndUser>[] = [{ email: 'a@b.c' }, { fullName: 'Ada' }, { tags: { a: 'b' } }]
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        (n % 2 ? storage : second).tellEndUser(person(1, `x${n}`, { username: 'u', ...tellings[n % 3] })),
      ),
    )
    assert.equal(new Set(answers.map(each => each.id)).size, 1)
    const [only, ...more] = await storage.endUsers(1)
    assert.deepEqual(more, [])
    assert.deepEqual([only?.email, only?.fullName, only?.tags], ['a@b.c', 'Ada', { a: 'b' }])
  })

  test('a connection keeps its tags and its webhook URL; the hot read has them with its person', async t => {
    const { storage, second } = await begin(t)
    const ada = person(1, 'ada', whole)
    await storage.addEndUser(ada)
    await storage.addEndUser(person(2, 'ada', { username: 'of another environment' }))
    const told = { tags: { plan: 'pro', end_user_id: 'ü"' }, webhookUrlOverride: 'https://app.example/hook?x=ü' }
    const rows = [connection(1, 'a', { ...full, ...told, endUserId: 'ada' }), connection(1, 'b', { endUserId: 'gone' })]
    for (const row of rows) await add(storage, row)
    const [a, b] = rows
    assert.ok(a && b)
    assert.deepEqual(await get(second, a), a)
    assert.deepEqual(await hot(second, 'a'), toReadRow(a, false, ada))
    assert.deepEqual(await hot(second, 'b'), toReadRow(b, false))
    // What is told of the person later is read at once.
    const told2 = await storage.tellEndUser(person(1, 'x', { username: ada.username, fullName: 'Countess' }))
    assert.deepEqual(await hot(storage, 'a'), toReadRow(a, false, told2))
  })

  test('a patch sets what it names, and nothing else', async t => {
    const { storage, second } = await begin(t)
    const row = connection(1, 'a', { ...full, tags: { old: '1' }, webhookUrlOverride: 'https://a.example/' })
    const bystander = connection(1, 'b', { tags: { old: '1' } })
    await add(storage, row)
    await add(storage, bystander)
    assert.equal(await storage.patchConnection(2, 'a', { tags: {} }, at(9)), false)
    assert.equal(await storage.patchConnection(1, 'none', { tags: {} }, at(9)), false)
    assert.equal(await storage.patchConnection(1, 'a', { endUserId: 'u' }, at(2)), true)
    assert.deepEqual(await get(second, row), { ...row, endUserId: 'u', updatedAt: at(2) })
    assert.equal(await storage.patchConnection(1, 'a', { tags: { new: '2' } }, at(3)), true)
    assert.equal(await second.patchConnection(1, 'a', { webhookUrlOverride: null }, at(4)), true)
    const { webhookUrlOverride: _, ...rest } = row
    assert.deepEqual(await get(second, row), { ...rest, endUserId: 'u', tags: { new: '2' }, updatedAt: at(4) })
    assert.deepEqual(await get(second, bystander), bystander)
  })

  test('one that goes to a person who has that account already is found by its name only', async t => {
    const { storage } = await begin(t)
    const account = '["w1","p1"]'
    await add(storage, connection(1, 'a', { endUserId: 'u' }), account)
    await add(storage, connection(1, 'b', { endUserId: 'v' }), account)
    assert.equal(await storage.patchConnection(1, 'b', { endUserId: 'u' }, at(1)), true)
    assert.equal((await storage.connections(1, { endUserId: 'u' })).length, 2)
    const again = await storage.authorize(
      draft(connection(1, 'c', { endUserId: 'u' }), { accountKey: account, endUserId: 'u' }),
    )
    assert.equal(again.id, 'a')
  })

  test('lists fit every part of a filter, newest first, and go on by number or from where they were', async t => {
    const { storage, second } = await begin(t)
    await storage.addIntegration(integration(1, 'other'))
    await storage.addEndUser(person(1, 'ada', { ...whole, username: 'Ada_1' }))
    await storage.addEndUser(person(1, 'bob', { username: 'bob', organization: { id: 'acme' } }))
    await storage.addEndUser(person(2, 'ada', whole))
    const tagged = { plan: 'pro', team: 'x' }
    const rows = [
      connection(1, 'a', { ...full, createdAt: at(1), endUserId: 'ada', tags: tagged }),
      connection(1, 'b', { createdAt: at(3), endUserId: 'bob', tags: { plan: 'pro' }, connectionId: 'same' }),
      connection(1, 'c', { createdAt: at(2), integrationKey: 'other', tags: { plan: 'free' }, connectionId: 'same' }),
      connection(1, 'd', { createdAt: at(2), connectionId: '100%_\\Ü' }),
    ]
    for (const row of [...rows, connection(2, 'a', { tags: tagged, endUserId: 'ada' })]) await add(storage, row)
    const list = async (filter: ListFilter, page: Page = { limit: 100 }) =>
      (await second.listConnections(1, filter, page)).map(each => each.id).join('')
    for (const [filter, ids] of [
      [{}, 'bdca'],
      [{ connectionId: 'same' }, 'bc'],
      [{ connectionId: 'none' }, ''],
      [{ endUserId: 'ada' }, 'a'],
      [{ endUserId: '' }, 'dc'],
      [{ organizationId: 'acme' }, 'ba'],
      [{ organizationId: 'none' }, ''],
      [{ integrationKeys: ['github'] }, 'bda'],
      [{ integrationKeys: ['other', 'github', 'none'] }, 'bdca'],
      [{ integrationKeys: [] }, ''],
      [{ integrationKeys: Array.from({ length: 60 }, (_, n) => (n === 7 ? 'other' : `no-${n}`)) }, 'c'],
      [{ tags: {} }, 'bdca'],
      [{ tags: { plan: 'pro' } }, 'ba'],
      [{ tags: { plan: 'pro', team: 'x' } }, 'a'],
      [{ tags: { plan: 'pro', team: 'y' } }, ''],
      [{ tags: { plan: 'pro' }, endUserId: 'bob' }, 'b'],
      [{ tags: { plan: 'pro' }, integrationKeys: ['other'] }, ''],
      [{ tags: { plan: 'pro' }, organizationId: 'acme', search: 'acme.example' }, 'a'],
      [{ integrationKeys: ['github', 'other'], connectionId: 'same' }, 'bc'],
      [{ search: 'SAME' }, 'bc'],
      [{ search: 'ada_' }, 'a'],
      [{ search: 'ACME.ex' }, 'a'],
      [{ search: 'Ünïcode "a' }, 'a'],
      [{ search: '%' }, 'd'],
      [{ search: '%_\\' }, 'd'],
      [{ search: 'b_b' }, ''],
      [{ search: 'named', integrationKeys: ['github'] }, 'a'],
    ] as const)
      assert.equal(await list(filter), ids, JSON.stringify(filter))
    assert.deepEqual(await second.listConnections(2, { tags: { team: 'x' } }, { limit: 9 }).then(all => all.length), 1)

    // A page by number, and one after another: of each filter the same rows in the same order.
    for (const filter of [{}, { integrationKeys: ['github', 'other'] }, { tags: { plan: 'pro' } }, { endUserId: '' }]) {
      const all = await second.listConnections(1, filter, { limit: 100 })
      for (const [n, row] of all.entries()) {
        assert.equal(await list(filter, { limit: 1, skip: n }), row.id)
        const rest = all.slice(n + 1).map(each => each.id)
        assert.equal(await list(filter, { limit: 100, after: row }), rest.join(''))
      }
      assert.equal(await list(filter, { limit: 2, skip: all.length }), '')
    }
    // Whatever this process writes moves the pages by number at once.
    const next = async () => (await storage.listConnections(1, {}, { limit: 1, skip: 1 })).map(each => each.id).join('')
    const first = () => storage.listConnections(1, {}, { limit: 1 })
    await first()
    assert.equal(await next(), 'd')
    await add(storage, connection(1, 'e', { createdAt: at(9) }))
    assert.equal(await next(), 'b')
    await first()
    await storage.deleteConnection(1, 'e', at(10))
    assert.equal(await next(), 'd')
  })

  test('which are the newest of their end user through their integration, and of those whom somebody proven began', async t => {
    const { storage, second } = await begin(t)
    await storage.addIntegration(integration(1, 'other'))
    const rows = [
      connection(1, 'a', { createdAt: at(1), endUserId: 'u' }),
      connection(1, 'b', { createdAt: at(2), endUserId: 'u' }),
      connection(1, 'c', { createdAt: at(2), endUserId: 'u', trust: 'public' }),
      connection(1, 'd', { createdAt: at(3), endUserId: 'u', integrationKey: 'other' }),
      connection(1, 'e', { createdAt: at(4), endUserId: '' }),
    ]
    for (const row of rows) await add(storage, row)
    await add(storage, connection(2, 'f', { createdAt: at(9), endUserId: 'u' }))
    const newest = async (ids: string, of: 'all' | 'proven') =>
      [...(await second.newest(1, [...ids], of))].sort().join('')
    assert.equal(await newest('abcdef', 'all'), 'cde')
    assert.equal(await newest('abcdef', 'proven'), 'bde')
    assert.equal(await newest('ab', 'all'), '')
    assert.equal(await newest('', 'all'), '')
  })

  test('a list shows all of a row but what is sealed, with its end user', async t => {
    const { storage, second } = await begin(t)
    const ada = person(1, 'ada', whole)
    await storage.addEndUser(ada)
    const row = connection(1, 'a', {
      ...full,
      endUserId: 'ada',
      createdAt: at(5),
      tags: { plan: 'pro' },
      webhookUrlOverride: 'https://app.example/',
    })
    await add(storage, row)
    await add(storage, connection(1, 'b', { endUserId: 'gone' }))
    const { access: _, renewal: __, ...shown } = row
    const { access: ___, ...bare } = connection(1, 'b', { endUserId: 'gone' })
    assert.deepEqual(await second.listConnections(1, {}, { limit: 9 }), [
      { ...shown, renewable: true, endUser: ada },
      { ...bare, renewable: false },
    ])
    // Tags are found as they were last set, and gone with the connection.
    const tagged = async (value: string) =>
      (await second.listConnections(1, { tags: { plan: value } }, { limit: 9 })).length
    await storage.patchConnection(1, 'a', { tags: { plan: 'free' } }, at(9))
    assert.deepEqual([await tagged('pro'), await tagged('free')], [0, 1])
    await storage.authorize(draft({ ...row, tags: { plan: 'max' } }, { connectionId: row.connectionId }))
    assert.deepEqual([await tagged('free'), await tagged('max')], [0, 1])
    await storage.deleteConnection(1, 'a', at(10))
    assert.equal(await tagged('max'), 0)
  })

  test('an integration is changed whole; it gets another key only while no connection stands on it', async t => {
    const { storage, second } = await begin(t)
    const app = integration(1, 'app')
    await storage.addIntegration(app)
    await storage.addIntegration(integration(2, 'app'))
    const next = {
      ...app,
      clientId: 'new',
      clientSecret: bytes(9),
      displayName: 'Ours ü',
      scopes: ['a'],
      updatedAt: at(5),
    }
    assert.equal(await storage.updateIntegration(app.id, next), 'updated')
    assert.deepEqual(await second.integration(1, 'app'), next)
    assert.deepEqual(await second.integration(2, 'app'), integration(2, 'app'))
    assert.equal(await storage.updateIntegration(app.id, { ...next, key: 'github' }), 'taken')
    assert.equal(await storage.updateIntegration('none', next), 'unknown')
    assert.equal(await storage.updateIntegration(app.id, { ...next, key: 'renamed' }), 'updated')
    assert.deepEqual(await second.integration(1, 'renamed'), { ...next, key: 'renamed' })
    await add(storage, connection(1, 'a', { integrationKey: 'renamed' }))
    assert.equal(await storage.updateIntegration(app.id, { ...next, key: 'again' }), 'in use')
    assert.equal(await storage.updateIntegration(app.id, { ...next, key: 'renamed', clientId: 'x' }), 'updated')
    assert.equal((await second.integration(1, 'renamed'))?.clientId, 'x')
  })

  test('who shares an account is known, whatever it may be found by', async t => {
    const { storage, second } = await begin(t)
    await storage.addIntegration(integration(1, 'other'))
    const account = { id: 'w1', personId: 'p1', name: 'Acme' }
    const [a, b] = [connection(1, 'a', { account }), connection(1, 'b', { account: { ...account, name: 'New name' } })]
    await add(storage, a)
    assert.equal(await second.sharesAccount(a, 'person'), false)
    assert.equal(await second.sharesAccount(a, 'everybody'), false)
    await add(storage, connection(1, 'c', { account, integrationKey: 'other' }))
    await add(storage, connection(1, 'f', { account: { ...account, id: 'w10' } }))
    await add(storage, connection(2, 'a', { account }))
    assert.equal(await second.sharesAccount(a, 'everybody'), false)
    await add(storage, connection(1, 'd', { account: { ...account, personId: 'p2' } }))
    assert.equal(await second.sharesAccount(a, 'everybody'), true)
    assert.equal(await second.sharesAccount(a, 'person'), false)
    await add(storage, b)
    assert.deepEqual([await second.sharesAccount(a, 'person'), await second.sharesAccount(b, 'person')], [true, true])
  })

  test('a connection whose account is not known may be of any account, where everybody counts', async t => {
    const { storage } = await begin(t)
    const a = connection(1, 'a', { account: { id: 'wé😀"', personId: 'p1' } })
    await add(storage, a)
    assert.equal(await storage.sharesAccount(a, 'everybody'), false)
    const unknown = connection(1, 'e')
    await add(storage, unknown)
    assert.deepEqual(
      [await storage.sharesAccount(a, 'everybody'), await storage.sharesAccount(a, 'person')],
      [true, false],
    )
    assert.equal(await storage.sharesAccount(unknown, 'everybody'), false)
    assert.ok(await storage.deleteConnection(1, unknown.id, at(9)))
    await add(storage, connection(1, 'g', { account: { id: 'wé😀"', personId: 'p2' } }))
    assert.equal(await storage.sharesAccount(a, 'everybody'), true)
  })
}
