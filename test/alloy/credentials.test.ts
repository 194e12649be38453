/** Credentials given as keys, under every spelling; both spellings of a type; what contradicts itself (P7). */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Secret } from '../../src/core/credential.ts'
import { addIntegration } from '../../src/core/setup.ts'
import type { ConnectionShape } from '../../src/http/alloy/shapes.ts'
import { getJson, startTestHub, type TestHub, tempFolder } from '../harness.ts'
import { call, connected, initiate, refused, start } from './hub.ts'

const path = '/connectors/notion/credentials'

/** A token that the provider knows: one that a flow brought. */
const tokenOf = async (hub: TestHub): Promise<string> => {
  const { id } = await connected(hub)
  const { credential } = await hub.rooms.hub.read(hub.rooms.firstEnvironment.id, 'notion', id)
  return credential.accessToken.reveal()
}

test('credentialType and authenticationType mean the same, in every spelling; where they differ it is said', async t => {
  const hub = await start(t)
  const redirectUri = 'http://localhost:9/oauth/callback'
  for (const type of ['oauth2', 'OAuth2', 'OAUTH_2', 'oauth-2.0', 'oauth'])
    for (const name of ['credentialType', 'authenticationType'])
      assert.equal((await call(hub, 'POST', path, { [name]: type, redirectUri })).status, 200, `${name} ${type}`)
  const both = {
    authenticationType: 'oauth2',
    credentialType: 'oauth2',
    redirectUri,
    userId: 'me',
    connectorId: 'notion',
  }
  assert.equal((await call(hub, 'POST', path, both)).status, 200)
  const differ = await refused(hub, 'POST', path, { ...both, credentialType: 'apiKey' })
  assert.match(differ.body.message, /they differ/)
  const unknown = await refused(hub, 'POST', path, { authenticationType: 'saml' })
  assert.match(
    unknown.body.message,
    /"saml" is no authenticationType; there are oauth2, oauth1, apiKey, bearer and basic/,
  )
  const none = await refused(hub, 'POST', path, {})
  assert.match(none.body.message, /authenticationType is missing/)
})

test('a field that is not known is named, with the right one, and does no harm', async t => {
  const hub = await start(t)
  const { status, body, headers } = await call(hub, 'POST', path, {
    credentialType: 'oauth2',
    redirectUri: 'http://localhost:9/cb',
    redirectUrl: 'http://localhost:9/other',
    usrId: 'x',
  })
  assert.equal(status, 200)
  assert.deepEqual(body['warnings'], [
    '"redirectUrl" is not a field here and was ignored (did you mean redirectUri?).',
    '"usrId" is not a field here and was ignored (did you mean userId?).',
  ])
  assert.match(headers.get('warning') ?? '', /^299 mortise "'redirectUrl' is not a field/)
})

test('a connectorId in the body that is not the one of the path is refused', async t => {
  const hub = await start(t)
  const { status, body } = await refused(hub, 'POST', path, { connectorId: 'slack', credentialType: 'oauth2' })
  assert.equal(status, 400)
  assert.equal(body.error.details[0]?.properties, 'connectorId')
})

test('an unknown connector names those that there are; a known one that was not added, the command that adds it', async t => {
  const hub = await start(t)
  const ask = (name: string) => refused(hub, 'POST', `/connectors/${name}/credentials`, { credentialType: 'oauth2' })
  const misspelt = await ask('notoin')
  assert.equal(misspelt.status, 404)
  assert.match(misspelt.body.message, /did you mean notion\?\); there are: github, google-drive, hubspot, notion/)
  assert.match((await ask('xero')).body.message, /npx mortise integrations add xero/)
})

test('a key is taken under all field spellings, tried at the provider, and kept once an account', async t => {
  const hub = await start(t)
  const token = await tokenOf(hub)
  const ids = new Set<string>()
  const spellings: object[] = [
    ...['apiKey', 'api-key', 'api_key', 'key', 'token'].flatMap(name => [
      { authenticationType: 'apiKey', fields: { [name]: token } },
      { authenticationType: 'api_key', data: { [name]: token } },
    ]),
    { authenticationType: 'API Key', apiKey: token },
  ]
  for (const body of spellings) {
    const answer = await call<ConnectionShape>(hub, 'POST', path, body)
    assert.equal(answer.status, 200, JSON.stringify([body, answer.body]).replaceAll(token, '…'))
    assert.equal(answer.body.status, 'connected')
    assert.equal(answer.body.type, 'notion-apiKey')
    assert.equal(answer.body.account?.name, 'Acme')
    ids.add(answer.body.id)
  }
  assert.equal(ids.size, 1)
  for (const name of ['token', 'bearer', 'access_token', 'bearerToken']) {
    const answer = await call<ConnectionShape>(hub, 'POST', path, {
      authenticationType: 'bearer',
      fields: { [name]: token },
      allowDuplicate: true,
    })
    assert.equal(answer.body.type, 'notion-bearer')
  }
  // The Connections API shows it as the key that it is.
  const [id] = ids
  const { body } = await getJson<{ credentials: object }>(`${hub.origin}/connection/${id}?provider_config_key=notion`)
  assert.deepEqual(body.credentials, { type: 'API_KEY', apiKey: token })
  const acted = await call(hub, 'POST', '/connectors/notion/actions/get-self/execute', { credentialId: id })
  assert.equal(acted.status, 200)
})

test('a key that the provider refuses is not kept; a type that a connector does not take is named', async t => {
  const hub = await start(t)
  const wrong = await refused(hub, 'POST', path, { authenticationType: 'apiKey', fields: { apiKey: 'ntn_wrong' } })
  assert.deepEqual([wrong.status, wrong.body.code], [400, 'PROVIDER_REJECTED'])
  assert.match(wrong.body.message, /Notion refused this credential with status 401, so it was not kept/)
  assert.doesNotMatch(JSON.stringify(wrong.body), /ntn_wrong/)
  const basic = await refused(hub, 'POST', path, {
    authenticationType: 'basic',
    fields: { username: 'a', password: 'b' },
  })
  assert.deepEqual([basic.status, basic.body.code], [404, 'AUTHENTICATION_NOT_FOUND'])
  assert.match(basic.body.message, /it takes oauth2, apiKey, bearer/)
  for (const fields of [undefined, {}, { apiKey: '' }, { apiKey: 'with space' }, { apiKey: 5 }])
    assert.equal((await refused(hub, 'POST', path, { authenticationType: 'apiKey', fields })).status, 400)
  assert.deepEqual((await call(hub, 'GET', '/users/me/connections')).body, [])
})

/** A provider of the operator's own, which takes Basic alone, and what it was sent. */
const basicProvider = async (t: TestContext) => {
  const seen: (string | undefined)[] = []
  const server = createServer((request, response) => {
    seen.push(request.headers.authorization)
    const known = request.headers.authorization === `Basic ${Buffer.from('ada:open sesame').toString('base64')}`
    response.writeHead(known ? 200 : 401, { 'content-type': 'application/json' })
    response.end(JSON.stringify(known ? { tenant: 't-1', user: 'u-1' } : { message: 'no' }))
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  t.after(() => server.close())
  const address = server.address()
  const origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  const folder = tempFolder(t)
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    join(folder, 'vault.yaml'),
    `name: Vault
docs: [https://vault.example/docs]
auth: oauth2
api: { base: '${origin}' }
authorize: { url: '${origin}/authorize' }
token: { url: '${origin}/token', client: basic }
keys:
  kinds: { basic: { title: User and password } }
  identity: { request: { url: '${origin}/me' }, account: tenant, person: user }
`,
  )
  return { seen, folder, host: new URL(origin).host }
}

test('a user name with its password is sent as Basic, under all field spellings', async t => {
  const { seen, folder, host } = await basicProvider(t)
  const hub = await startTestHub(t, { env: { MORTISE_PROVIDERS_DIR: folder, MORTISE_ALLOWED_HOSTS: host } })
  await addIntegration(hub.rooms.hub.context, hub.rooms.firstEnvironment, {
    key: 'vault',
    provider: 'vault',
    clientId: 'none',
    clientSecret: new Secret('none'),
  })
  const give = (fields: object, type = 'basic') =>
    call<ConnectionShape>(hub, 'POST', '/connectors/vault/credentials', { authenticationType: type, ...fields })
  for (const fields of [
    { fields: { username: 'ada', password: 'open sesame' } },
    { data: { user: 'ada', pass: 'open sesame' } },
    { username: 'ada', password: 'open sesame' },
  ]) {
    const { status, body } = await give(fields, 'HTTP Basic')
    assert.equal(status, 200, JSON.stringify(body))
    assert.equal(body.type, 'vault-basic')
  }
  assert.equal(new Set(seen).size, 1)
  const list = await call<ConnectionShape[]>(hub, 'GET', '/users/me/connections')
  assert.equal(list.body.length, 1)
  const { body } = await getJson<{ credentials: object }>(
    `${hub.origin}/connection/${list.body[0]?.id}?provider_config_key=vault`,
  )
  assert.deepEqual(body.credentials, { type: 'BASIC', username: 'ada', password: 'open sesame' })
  assert.equal((await give({ fields: { username: 'ada', password: 'wrong' } })).status, 400)
  assert.match(String((await give({ fields: { username: 'ada' } })).body), /./)
  assert.equal((await give({ fields: { username: 'a:b', password: 'x' } })).status, 400)
})

test('authConfigId chooses among the integrations at one provider', async t => {
  const hub = await start(t)
  await addIntegration(hub.rooms.hub.context, hub.rooms.firstEnvironment, {
    key: 'notion-eu',
    provider: 'notion',
    clientId: 'eu',
    clientSecret: new Secret('x'),
    sandbox: true,
  })
  assert.equal((await initiate(hub, { authConfigId: 'notion-eu' })).connectorId, 'notion-eu')
  const wrong = await refused(hub, 'POST', path, { credentialType: 'oauth2', authConfigId: 'slack' })
  assert.match(wrong.body.message, /"slack" is no integration at notion; there are: notion, notion-eu/)
})

test('the metadata say what a caller must send, and its sample works', async t => {
  const hub = await start(t)
  const { body } = await call<{
    metadata: { authenticationType: string; sampleInput: object; authConfigRequired: boolean }[]
  }>(hub, 'GET', `${path}/metadata`)
  assert.deepEqual(
    body.metadata.map(each => [each.authenticationType, each.authConfigRequired]),
    [
      ['oauth2', false],
      ['apiKey', false],
      ['bearer', false],
    ],
  )
  assert.equal((await call(hub, 'POST', path, body.metadata[0]?.sampleInput)).status, 200)
})

test('bodies that are no JSON object, or hold the wrong kinds, are refused with the field', async t => {
  const hub = await start(t)
  for (const body of ['{', '[]', '"x"', '7']) assert.equal((await refused(hub, 'POST', path, body)).status, 400, body)
  for (const [name, value] of Object.entries({
    redirectUri: 7,
    userId: {},
    state: [],
    allowDuplicate: 'yes',
    data: 'x',
    fields: [],
  })) {
    const { status, body } = await refused(hub, 'POST', path, { credentialType: 'oauth2', [name]: value })
    assert.deepEqual([status, body.error.details[0]?.properties], [400, name], name)
  }
})
