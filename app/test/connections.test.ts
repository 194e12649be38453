import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { AlloyClient } from '../src/alloy-client.ts'
import { AlloyError, alloyHttp } from '../src/alloy-http.ts'
import { readCallback } from '../src/callback.ts'
import { connectionIdOf, hasId, integrationOf, isUsable, latestOf, rowsOf } from '../src/connections.ts'
import { startRecorder } from './recorder.ts'

test('one id under three names', () => {
  assert.equal(connectionIdOf({ credentialId: 'a' }), 'a')
  assert.equal(connectionIdOf({ id: 'a' }), 'a')
  assert.equal(connectionIdOf({ connectionId: 'a' }), 'a')
  assert.equal(connectionIdOf({ credentialId: 'a', id: 'b', connectionId: 'c' }), 'a')
  assert.equal(connectionIdOf({}), undefined)
  const id = '69110206d6d6670fb17451f8'
  for (const form of [id, `conn_${id}`, `cred_${id}`]) assert.ok(hasId({ credentialId: id }, form))
  assert.ok(hasId({ credentialId: 'x', connectionId: 'mine' }, 'mine'))
  assert.ok(!hasId({ credentialId: id }, id.replace('6', '7')))
})

test('rows come in every envelope, and nothing else is a row', () => {
  const rows = [{ id: 'a' }]
  for (const answer of [rows, { data: rows }, { connections: rows }, { credentials: rows }])
    assert.deepEqual(rowsOf(answer), rows)
  for (const answer of [undefined, null, 'x', {}, { data: 'x' }, [null, 'x', 3]]) assert.deepEqual(rowsOf(answer), [])
})

test('the latest is the newest by its date, not by its place', () => {
  const [a, b, c] = ['2025-11-09T02:55:25Z', '2025-11-09T21:05:00Z', '2025-11-09T03:21:13Z'].map((createdAt, n) => ({
    id: `c${n}`,
    createdAt,
  }))
  assert.ok(a && b && c)
  for (const rows of [
    [a, b, c],
    [c, a, b],
    [b, c, a],
  ])
    assert.equal(latestOf(rows), b)
  assert.equal(latestOf([]), undefined)
  // S2's rows have no dates: their ids do.
  const ids = ['69110206d6d6670fb17451f8', '6910029dd6d6670fb1742f05', '691100acd6d6670fb1745176']
  assert.equal(latestOf(ids.map(credentialId => ({ credentialId })))?.credentialId, ids[0])
  const same = '2025-11-09T02:55:25Z'
  assert.equal(
    latestOf([
      { id: 'x', createdAt: same, latest: true },
      { id: 'y', createdAt: same },
    ])?.id,
    'x',
  )
})

test('where the server says which is the latest, it is believed', () => {
  const [old, fresh] = ['2025-11-09T02:55:25Z', '2025-11-09T21:05:00Z']
  const row = (id: string, createdAt: string, latest?: boolean) => ({
    id,
    createdAt,
    ...(latest === undefined ? {} : { latest }),
  })
  assert.equal(latestOf([row('x', old, true), row('y', fresh, false)])?.id, 'x')
  // One a connector: the newest of those.
  assert.equal(latestOf([row('x', old, true), row('y', fresh, true), row('z', fresh, false)])?.id, 'y')
  // What a bare public key made is never picked by itself.
  assert.equal(latestOf([row('x', old, false), row('y', fresh, false)]), undefined)
  assert.equal(latestOf([row('x', old), row('y', fresh)])?.id, 'y')
})

test('which integration a row is of, and whether it is usable', () => {
  assert.equal(integrationOf({ type: 'notion-oauth2' }), 'notion')
  assert.equal(integrationOf({ type: 'google-drive-oauth2' }), 'google-drive')
  assert.equal(integrationOf({ type: 'x-oauth2', connectorId: 'notion' }), 'notion')
  assert.equal(integrationOf({}), undefined)
  assert.ok(isUsable({}) && isUsable({ status: 'connected' }))
  assert.ok(!isUsable({ status: 'revoked' }))
})

test('a callback is judged before anything is redeemed', () => {
  const ours = (state: string) => state === 'mine'
  const read = (query: string) => readCallback(new URLSearchParams(query), ours)
  assert.deepEqual(read('code=c&state=mine'), { kind: 'code', code: 'c', state: 'mine' })
  for (const query of [
    'code=c',
    'code=c&state=theirs',
    'code=c&state=',
    'code=c&code=d&state=mine',
    'code=c&state=mine&state=mine',
  ])
    assert.deepEqual(read(query), { kind: 'stranger' }, query)
  for (const query of ['', 'state=mine', 'state=theirs', 'code=', 'x=1'])
    assert.deepEqual(read(query), { kind: 'nothing' })
  const provider = `1z.${'A'.repeat(43)}`
  assert.deepEqual(read(`code=c&state=${provider}`), { kind: 'provider' })
  assert.deepEqual(read(`error=access_denied&state=${provider}`), { kind: 'provider' })
  for (const state of [`${provider}A`, `1z.${'A'.repeat(42)}`, `1Z.${'A'.repeat(43)}`])
    assert.equal(read(`code=c&state=${state}`).kind, 'stranger')
  const mine = readCallback(new URLSearchParams(`code=c&state=${provider}`), state => state === provider)
  assert.equal(mine.kind, 'code')
  assert.deepEqual(read('error=access_denied&error_description=no&state=mine'), {
    kind: 'error',
    error: 'access_denied: no',
    state: 'mine',
  })
  // A stranger's words are not shown.
  assert.deepEqual(read('error=access_denied&error_description=call+555'), {
    kind: 'error',
    error: 'access_denied',
    state: undefined,
  })
  assert.equal((read('error=call+555+now') as { error: string }).error, 'unknown error')
})

test('an error says what the server said, whatever its shape, and never the key', async t => {
  const recorder = await startRecorder(t)
  const key = 'key_0123456789abcdef'
  const http = alloyHttp({ baseUrl: `${recorder.origin}/`, apiKey: key })
  const said = async (status: number, body: unknown): Promise<AlloyError> => {
    recorder.redemption = { status, body }
    return http.post('/connectors/notion/credentials/callback', {}).then(
      () => assert.fail('it was no error'),
      (error: unknown) => {
        assert.ok(error instanceof AlloyError)
        assert.equal(error.status, status)
        return error
      },
    )
  }
  const details = [{ properties: 'userId', message: 'userId must be a valid ID' }]
  const both = await said(400, { error: { message: 'Validation failed', details } })
  assert.equal(both.message, 'Validation failed: userId must be a valid ID')
  assert.deepEqual(both.fields, ['userId'])
  assert.equal((await said(400, { error: { details } })).message, 'userId must be a valid ID')
  const whole = { message: 'M', code: 'C', error: { code: 'C', message: 'M', hint: 'Do this.' } }
  assert.equal((await said(422, whole)).message, 'M Do this.')
  assert.equal((await said(422, whole)).code, 'C')
  assert.equal((await said(401, { error: 'Unauthorized', message: 'Wrong key' })).message, 'Wrong key')
  assert.equal((await said(500, { error: 'Broken' })).message, 'Broken')
  assert.match((await said(404, { code: 'AUTHENTICATION_NOT_FOUND' })).message, /was answered with status 404/)
  assert.match((await said(302, '<html>')).message, /was answered with status 302/)
  assert.equal((await said(401, { message: `No such key: ${key}` })).message, 'No such key: [key]')
  assert.equal((await said(400, { message: 'a\u001b[31mb\u202ec' })).message, 'a [31mb c')
})

test('a key goes to the base URL, and never where an answer points', async t => {
  const reached: string[] = []
  const elsewhere = createServer((request, response) => {
    reached.push(String(request.headers.authorization))
    response.end('{}')
  }).listen(0, 'localhost')
  await new Promise(done => elsewhere.once('listening', done))
  const recorder = createServer((_request, response) => {
    response.writeHead(307, { location: `http://localhost:${(elsewhere.address() as AddressInfo).port}/` }).end()
  }).listen(0, 'localhost')
  await new Promise(done => recorder.once('listening', done))
  t.after(() => {
    for (const server of [elsewhere, recorder]) server.close().closeAllConnections()
  })
  const baseUrl = `http://localhost:${(recorder.address() as AddressInfo).port}`
  await assert.rejects(alloyHttp({ baseUrl, apiKey: 'key' }).get('/users'), { status: 307 })
  assert.deepEqual(reached, [])
})

test('a connection that is not active is refused by its status', async t => {
  const recorder = await startRecorder(t)
  recorder.rows = [
    { id: 'conn_1', integrationId: 'notion', status: 'revoked' },
    { id: 'conn_2', integrationId: 'notion', status: 'connected' },
  ]
  const config = { alloyApiKey: '', alloyUserId: 'me', alloyBaseUrl: recorder.origin, connectionId: undefined }
  const client = new AlloyClient(config)
  await assert.rejects(
    client.connectToIntegration('conn_1'),
    /^Error: Invalid connection ID: conn_1 is not active, its status is revoked\. .*npm run connect-notion$/,
  )
  assert.equal((await client.connectToIntegration('conn_2')).id, 'conn_2')
})
