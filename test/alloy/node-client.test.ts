/** The vendor's published server client (alloy-node 2.2.1), unmodified: its hosts are mapped to the hub, behind TLS. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { UserShape } from '../../src/http/alloy/shapes.ts'
import { newKey } from '../page.ts'
import { startFront } from '../tls.ts'
import { call, connected, start } from './hub.ts'

/** Each step is a method of the client with its arguments; what it gave, or threw, comes back. */
const script = `
const Alloy = require('alloy-node')
const alloy = new Alloy(process.env.TEST_KEY)
const run = async () => {
  const done = []
  for (const [method, ...args] of JSON.parse(process.env.TEST_STEPS)) {
    try { done.push({ gave: await alloy[method](...args) }) } catch (thrown) { done.push({ threw: thrown }) }
  }
  console.log(JSON.stringify({ done, username: alloy.username, userId: alloy.userId }))
}
run()`

type Step = readonly [method: string, ...args: unknown[]]
interface Told {
  readonly done: readonly { readonly gave?: unknown; readonly threw?: unknown }[]
  readonly username: string | null
  readonly userId: string | null
}

const reroute = fileURLToPath(new URL('./reroute.cjs', import.meta.url))

test('alloy-node 2.2.1: each of its calls is answered, or refused with a sentence', async t => {
  const hub = await start(t)
  const front = await startFront(t, Number(new URL(hub.origin).port), ['embedded.runalloy.com'])
  const { body: ada } = await call<UserShape>(hub, 'POST', '/users', { username: 'ada', fullName: 'Ada Lovelace' })
  const made = await connected(hub, { userId: 'ada' })
  const { key } = await newKey(hub)
  const steps = async (...all: readonly Step[]): Promise<Told> => {
    const env = {
      ...process.env,
      NODE_EXTRA_CA_CERTS: front.authority,
      TEST_FRONT: String(front.port),
      TEST_KEY: key,
      TEST_STEPS: JSON.stringify(all),
    }
    const { stdout } = await promisify(execFile)(process.execPath, ['--require', reroute, '-e', script], { env })
    return JSON.parse(stdout) as Told
  }
  const workflow = '507f1f77bcf86cd799439011'
  const told = await steps(
    ['identify', 'ada'],
    ['getUser', 'ada'],
    ['createUser', { username: 'grace', fullName: 'Grace Hopper' }],
    ['createUser', { username: 'ada' }],
    ['updateUser', { fullName: 'Countess Lovelace' }],
    ['getUsers'],
    ['getUserToken'],
    ['getApps'],
    ['getCredential', 'notion'],
    ['getUserOauthRedirect', { credentialName: 'notion' }],
    ['getIntegrations'],
    ['getIntegration', 'notion'],
    ['generateLink', 'notion'],
    ['getWorkflows'],
    ['disableAllWorkflows'],
    ['deleteLogs'],
    ['event', 'order.created', {}],
    ['run', workflow, {}],
    ['run', 'Order sync', {}],
    ['reactivate', { workflowId: workflow }],
    ['deactivate', { workflowId: workflow }],
    ...['getVersions', 'getLogs', 'getAnalytics', 'getWorkflowDetails', 'getWorkflow', 'deleteWorkflow'].map(
      method => [method, workflow] as const,
    ),
    ...['listCustomers', 'listOrders', 'listProducts', 'createSubscription', 'deleteCustomer'].map(
      method => [method, { userId: ada.userId, credentialId: made.credentialId }] as const,
    ),
    ['deleteUser'],
    ['getUser', 'ada'],
    ['identify', 'nobody'],
  )
  const gave = told.done.map(each => each.gave) as Record<string, unknown>[]
  const [, user, grace, , renamed, users, jwt, apps, metadata, link, integrations, integration, url] = gave
  assert.deepEqual(told.done[0], {})
  assert.deepEqual(user, { userId: ada.userId, username: 'ada', fullName: 'Ada Lovelace' })
  assert.deepEqual(grace, { userId: grace?.['userId'], username: 'grace', fullName: 'Grace Hopper' })
  assert.equal(told.done[3]?.threw, `There is a user "ada" already, with the id ${ada.userId}.`)
  assert.deepEqual(renamed, { userId: ada.userId, username: 'ada', fullName: 'Countess Lovelace' })
  assert.deepEqual(
    (users as { data: UserShape[] }).data.map(each => each.username),
    ['me', 'ada', 'grace'],
  )
  assert.match(String(jwt?.['token']), /^[\w-]+\.[\w-]+\.[\w-]+$/)
  const ids = ['github', 'google-drive', 'hubspot', 'notion', 'salesforce', 'slack']
  assert.deepEqual(
    (apps as { data: { id: string }[] }).data.map(each => each.id),
    ids,
  )
  const icon = (metadata as { data: { icon: string } }).data.icon
  assert.match(icon, /^data:image\/svg\+xml,/)
  assert.deepEqual(metadata, { data: { name: 'notion', connector: 'notion', icon, isOauth: true, properties: [] } })
  const { oauthUrl, ...rest } = link as { oauthUrl: string }
  assert.deepEqual(rest, {
    data: { oauthUrl },
    credentialId: (link as { credentialId: string }).credentialId,
    expiresAt: (link as { expiresAt: string }).expiresAt,
  })
  assert.ok(oauthUrl.startsWith(`${hub.origin}/api/strategy/connector/notion/authorize?userId=${ada.userId}&token=`))
  const notion = {
    id: 'notion',
    connectorId: 'notion',
    integrationId: 'notion',
    name: 'Notion',
    provider: 'notion',
    category: ['productivity'],
    icon,
    sandbox: true,
    app: 'Notion',
    primaryConnector: 'Notion',
    installed: true,
    workflows: [],
    credentials: ['notion'],
  }
  assert.deepEqual(integration, { data: notion })
  const { data } = integrations as { data: { id: string; installed: boolean }[] }
  assert.deepEqual(
    data.map(each => [each.id, each.installed]),
    ids.map(id => [id, id === 'notion']),
  )
  assert.match(String(url?.['url']), new RegExp(`^${hub.origin}/embedded-install\\?integrationId=notion&token=`))
  const none = 'This hub connects accounts and runs no workflows, events or installations'
  assert.deepEqual(gave.slice(13, 16), [
    { data: [] },
    { success: true, message: `${none}: there was none to deactivate.` },
    { success: true, message: `${none}, and keeps no logs of them.` },
  ])
  assert.match(String(told.done.at(-1)?.threw), /^userId must be a valid ID: "nobody" \(in the path\) is no user/)
  assert.deepEqual([told.username, told.userId], [null, null])

  const acts = told.done.slice(16, 27).map(each => each.threw)
  assert.deepEqual(
    [...new Set(acts)],
    [
      `${none}, so there is nothing here to act on. Call the provider through a connection: POST /connectors/{id}/actions/{action}/execute, or POST /passthrough.`,
    ],
  )
  for (const each of told.done.slice(27, 32)) assert.match(String(each.threw), /^Unified models .* are not served/)
  assert.deepEqual(told.done[32], { gave: { success: true } })
  assert.match(String(told.done[33]?.threw), /^userId must be a valid ID/)
})
