import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, type TestContext, test } from 'node:test'
import { openSqlite } from '../storage/sqlite.ts'
import { Secret } from './credential.ts'
import { scopes, usualScopes } from './environment.ts'
import { createKeyring, newSecretKey, parseScopes, secretKeyPrefix } from './keys.ts'
import type { Storage } from './storage.ts'

const clock = { now: () => new Date(1_800_000_000_000) }

/** Opens a storage on one file of its own, as often as asked, with the environments 1 and 2 in it. */
const opener = async (t: TestContext): Promise<() => Storage> => {
  const folder = mkdtempSync(join(tmpdir(), 'mortise-keys-'))
  const opened: Storage[] = []
  t.after(async () => {
    for (const storage of opened) await storage.close()
    rmSync(folder, { recursive: true })
  })
  const open = () => {
    const storage = openSqlite(join(folder, 'mortise.db'))
    opened.push(storage)
    return storage
  }
  const storage = open()
  for (const id of [1, 2])
    await storage.addEnvironment({
      id,
      name: `env-${id}`,
      publicKey: `pk-${id}`,
      wrappedKey: Buffer.of(id),
      tellsLatest: false,
      createdAt: clock.now(),
    })
  return open
}

/** A keyring, asked anew each time. */
const ringOf = (...given: Parameters<typeof createKeyring>) => {
  const keyring = createKeyring(...given)
  return {
    find: async (secret: string) => (await keyring.now()).find(secret),
    unused: async () => (await keyring.now()).unused,
  }
}

const unknown = { code: 'unauthenticated', details: { reason: 'key_unknown' } }
const malformed = { code: 'unauthenticated', details: { reason: 'key_mistyped' } }

suite('the keyring', () => {
  test('finds the environment and the scopes of a key', async t => {
    const storage = (await opener(t))()
    const [one, two] = [
      newSecretKey(1, 'one', ['connections:read', 'proxy'], clock.now()),
      newSecretKey(2, 'two', scopes, clock.now()),
    ]
    await storage.addKey(one.key)
    await storage.addKey(two.key)
    const keyring = ringOf(storage, undefined)
    assert.deepEqual(await keyring.find(one.secret.reveal()), {
      id: one.key.id,
      environmentId: 1,
      scopes: new Set(['connections:read', 'proxy']),
    })
    assert.deepEqual(await keyring.find(two.secret.reveal()), {
      id: two.key.id,
      environmentId: 2,
      scopes: new Set(scopes),
    })
  })

  test('tells a mistyped key from an unknown one', async t => {
    const storage = (await opener(t))()
    const known = newSecretKey(1, 'one', scopes, clock.now())
    await storage.addKey(known.key)
    const keyring = ringOf(storage, undefined)
    const text = known.secret.reveal()
    await assert.rejects(keyring.find(text.slice(0, -1)), malformed)
    await assert.rejects(keyring.find(text.slice(0, -1) + (text.endsWith('0') ? '1' : '0')), malformed)
    await assert.rejects(keyring.find(secretKeyPrefix), malformed)
    await assert.rejects(keyring.find(newSecretKey(1, 'other', scopes, clock.now()).secret.reveal()), unknown)
    for (const other of ['', 'something else', known.key.hash, known.key.hint.slice(1)])
      await assert.rejects(keyring.find(other), unknown)
  })

  test('repeats nothing of a key that it refuses', async t => {
    const storage = (await opener(t))()
    const text = newSecretKey(1, 'one', scopes, clock.now()).secret.reveal()
    for (const given of [text, text.slice(0, -1)])
      await assert.rejects(ringOf(storage, undefined).find(given), error => {
        assert.ok(!JSON.stringify([error, String(error)]).includes(given.slice(secretKeyPrefix.length)))
        return true
      })
  })

  test('finds a key added after it was first asked', async t => {
    const storage = (await opener(t))()
    const keyring = ringOf(storage, undefined)
    const late = newSecretKey(1, 'late', scopes, clock.now())
    await assert.rejects(keyring.find(late.secret.reveal()), unknown)
    await storage.addKey(late.key)
    assert.equal((await keyring.find(late.secret.reveal())).environmentId, 1)
  })

  test('refuses a revoked key at once', async t => {
    const storage = (await opener(t))()
    const keyring = ringOf(storage, undefined)
    const [doomed, other] = ['doomed', 'other'].map(name => newSecretKey(1, name, scopes, clock.now()))
    assert.ok(doomed && other)
    await storage.addKey(doomed.key)
    await storage.addKey(other.key)
    await keyring.find(doomed.secret.reveal())
    assert.equal(await storage.revokeKey(1, doomed.key.id, clock.now()), true)
    await assert.rejects(keyring.find(doomed.secret.reveal()), unknown)
    assert.equal((await keyring.find(other.secret.reveal())).environmentId, 1)
  })

  test('sees in its next turn what another storage on the same file adds and revokes', async t => {
    const open = await opener(t)
    const [mine, theirs] = [open(), open()]
    const keyring = ringOf(mine, undefined)
    const { key, secret } = newSecretKey(1, 'theirs', scopes, clock.now())
    assert.equal(await keyring.unused(), true)
    const turn = () => new Promise(done => setImmediate(done))
    await theirs.addKey(key)
    await turn()
    assert.equal((await keyring.find(secret.reveal())).environmentId, 1)
    await theirs.revokeKey(1, key.id, clock.now())
    await turn()
    await assert.rejects(keyring.find(secret.reveal()), unknown)
  })

  test('asks the storage again only when something may have changed', async t => {
    const storage = (await opener(t))()
    const { key, secret } = newSecretKey(1, 'one', scopes, clock.now())
    await storage.addKey(key)
    let loads = 0
    const counting: Storage = {
      ...storage,
      keys() {
        loads++
        return storage.keys()
      },
    }
    const keyring = ringOf(counting, undefined)
    for (let round = 0; round < 10; round++) await keyring.find(secret.reveal())
    assert.equal(loads, 1)
  })

  test('answers at once while nothing changes, and throws where the storage cannot tell', async t => {
    const storage = (await opener(t))()
    const { key, secret } = newSecretKey(1, 'one', scopes, clock.now())
    await storage.addKey(key)
    let gone = false
    const failing: Storage = {
      ...storage,
      epoch() {
        if (gone) throw new Error('gone')
        return storage.epoch()
      },
    }
    const keyring = createKeyring(failing, undefined)
    await keyring.now()
    const keys = keyring.now()
    assert.ok(!(keys instanceof Promise))
    assert.equal(keys.find(secret.reveal()).id, key.id)
    gone = true
    assert.throws(() => keyring.now(), /gone/)
  })

  test('knows the configured key, with every scope, in its environment only', async t => {
    const storage = (await opener(t))()
    const secret = new Secret('configured-configured-configured-key')
    const keyring = ringOf(storage, { secret, environmentId: 2 })
    assert.deepEqual(await keyring.find(secret.reveal()), {
      id: 'configured',
      environmentId: 2,
      scopes: new Set(scopes),
    })
    await assert.rejects(keyring.find(`${secret.reveal()}x`), unknown)
    await assert.rejects(ringOf(storage, undefined).find(secret.reveal()), unknown)
  })

  test('is unused only until the first key is made anywhere; revoking it does not open the hub again', async t => {
    const storage = (await opener(t))()
    const keyring = ringOf(storage, undefined)
    assert.equal(await keyring.unused(), true)
    const { key } = newSecretKey(2, 'one', scopes, clock.now())
    await storage.addKey(key)
    assert.equal(await keyring.unused(), false)
    await storage.revokeKey(2, key.id, clock.now())
    assert.equal(await keyring.unused(), false)
    const configured = { secret: new Secret('configured-configured-configured-key'), environmentId: 1 }
    assert.equal(await ringOf(storage, configured).unused(), false)
  })
})

suite('a new secret key', () => {
  test('is stored as a digest and a hint only', () => {
    const { key, secret } = newSecretKey(1, 'name', ['proxy'], clock.now())
    const text = secret.reveal()
    assert.equal(key.hint, text.slice(0, 15))
    assert.ok(!JSON.stringify(key).includes(text.slice(15)))
    assert.match(key.hash, /^[0-9a-f]{64}$/)
    assert.deepEqual(
      { ...key, hash: '', hint: '', id: '' },
      {
        environmentId: 1,
        id: '',
        name: 'name',
        hash: '',
        hint: '',
        scopes: ['proxy'],
        createdAt: clock.now(),
      },
    )
  })

  test('has the scopes named, the usual ones where none is, and no unknown one', () => {
    assert.deepEqual(parseScopes(['proxy']), ['proxy'])
    assert.deepEqual(parseScopes([]), usualScopes)
    assert.throws(() => parseScopes(['proxy', 'everything']), /no scope "everything"; the scopes are connections:read/)
  })
})
