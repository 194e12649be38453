/**
 * Every action of every actions file, run once through a hub: the sandbox records what the provider is asked, and that is
 * held against the provider's own reference (`test/actions/`), letter for letter.
 */
import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { basename } from 'node:path'
import { before, suite, test } from 'node:test'
import { pathNames } from '../src/core/action.ts'
import { github } from './actions/github.requests.ts'
import { googleDrive } from './actions/google-drive.requests.ts'
import { hubspot } from './actions/hubspot.requests.ts'
import { notion } from './actions/notion.requests.ts'
import type { Given, Reference } from './actions/reference.ts'
import { salesforce } from './actions/salesforce.requests.ts'
import { slack } from './actions/slack.requests.ts'
import { call, connected, refused } from './alloy/hub.ts'
import { startTestHub, type TestHub } from './harness.ts'
import { wholeFile } from './whole-file.ts'

const references: Readonly<Record<string, Reference>> = {
  github,
  'google-drive': googleDrive,
  hubspot,
  notion,
  salesforce,
  slack,
}

/** What the hub leaves to be done at the end, in the order of a test's own hooks. */
const file = wholeFile()
let hub: TestHub
const connections = new Map<string, string>()

before(async () => {
  hub = await startTestHub(file)
  for (const provider of Object.keys(references)) {
    connections.set(provider, (await connected(hub, {}, { connector: provider })).id)
    hub.sandbox.set(provider, { record: true })
  }
})

const url = (provider: string, action: string) => `/connectors/${provider}/actions/${action}/execute`
const asked = (provider: string, { path, query, body }: Given) => ({
  credentialId: connections.get(provider),
  ...(path === undefined ? {} : { pathParams: path }),
  ...(query === undefined ? {} : { queryParameters: query }),
  ...(body === undefined ? {} : { requestBody: body }),
})

/** Of the connection between the two machines, and no part of what is asked. */
const hopByHop = ['host', 'connection', 'content-length']

for (const [provider, { headers, requests, mistakes }] of Object.entries(references))
  suite(provider, () => {
    for (const expected of requests)
      test(`${expected.action} asks for what the reference says`, async () => {
        const before = hub.sandbox.requests.length
        const answer = await call<{ statusCode: number }>(
          hub,
          'POST',
          url(provider, expected.action),
          asked(provider, expected),
        )
        const [request, ...more] = hub.sandbox.requests.slice(before)
        assert.ok(request, JSON.stringify(answer.body))
        assert.deepEqual(more, [])
        assert.equal(request.provider, provider)
        assert.equal(`${request.method} ${request.url}`, expected.request)
        assert.deepEqual(
          Object.fromEntries(Object.entries(request.headers).filter(([name]) => !hopByHop.includes(name))),
          {
            ...headers,
            ...(expected.body === undefined ? {} : { 'content-type': 'application/json' }),
            ...expected.headers,
          },
        )
        assert.equal(request.body, expected.body === undefined ? undefined : JSON.stringify(expected.body))
      })

    for (const { field, says, ...wrong } of mistakes)
      test(`${wrong.action}: ${field} ${says.source}, and nothing is asked`, async () => {
        const before = [hub.sandbox.requests.length, hub.sandbox.calls.length]
        const answer = await refused(hub, 'POST', url(provider, wrong.action), asked(provider, wrong))
        assert.equal(answer.status, 400, JSON.stringify(answer.body))
        assert.equal(answer.body.error.details[0]?.properties, field, answer.body.message)
        assert.match(answer.body.message, says)
        assert.deepEqual([hub.sandbox.requests.length, hub.sandbox.calls.length], before)
      })
  })

/** Where each provider's reference is. */
const pages: Readonly<Record<string, readonly string[]>> = {
  github: ['https://docs.github.com/en/rest/'],
  'google-drive': ['https://developers.google.com/workspace/drive/api/reference/rest/v3/'],
  hubspot: ['https://developers.hubspot.com/docs/api-reference/2026-03/crm/'],
  notion: ['https://developers.notion.com/reference/'],
  salesforce: ['https://developer.salesforce.com/docs/platform/api-rest/guide/', 'https://help.salesforce.com/s/'],
  slack: ['https://docs.slack.dev/reference/methods/'],
}

suite('every file', () => {
  const files = globSync('providers/*.actions.yaml').map(file => basename(file, '.actions.yaml'))

  test('has a reference beside it', () => {
    assert.deepEqual(files.sort(), Object.keys(references).sort())
  })

  for (const provider of files)
    test(`${provider}: each action has one expectation, and each name in a path is a parameter`, () => {
      const actions = hub.rooms.hub.context.catalogue.actions(provider)
      assert.ok(actions.length >= 20)
      assert.deepEqual(
        references[provider]?.requests.map(each => each.action).sort(),
        actions.map(action => action.id).sort(),
      )
      for (const { id, path, parameters } of actions)
        assert.deepEqual(
          parameters
            .filter(each => each.in === 'path' && each.required)
            .map(each => each.name)
            .sort(),
          pathNames(path).sort(),
          id,
        )
    })

  for (const provider of files)
    test(`${provider}: a record that goes by its name is asked for where the action asks`, async () => {
      const { requests } = references[provider] ?? { requests: [] }
      const done: string[] = []
      for (const { id, records } of hub.rooms.hub.context.catalogue.actions(provider))
        for (const record of records) {
          const expected = requests.find(each => each.action === id)
          assert.ok(expected)
          const named = record.id === undefined ? '' : `/${expected.path?.[record.id]}`
          const at = `/users/me/integrations/${provider}/data/${record.entity}${named}`
          const before = hub.sandbox.requests.length
          const body = record.as === 'list' ? undefined : expected.body
          await call(hub, { list: 'GET', create: 'POST', update: 'PUT' }[record.as], at, body)
          const [request, ...more] = hub.sandbox.requests.slice(before)
          assert.deepEqual(more, [])
          // A list is asked for as it is, without a query.
          assert.equal(`${request?.method} ${request?.url}`, expected.request.replace(/\?.*/, ''), at)
          assert.deepEqual(request?.body, JSON.stringify(record.as === 'list' ? record.body : expected.body))
          done.push(record.as)
        }
      assert.ok(done.includes('create'))
    })

  for (const provider of files)
    test(`${provider}: every action is described in a sentence, and on a page of the provider's`, () => {
      for (const { id, description, docs } of hub.rooms.hub.context.catalogue.actions(provider)) {
        assert.match(description, /^[A-Z][^\n]*[^.\n]\.$/, id)
        assert.ok(
          pages[provider]?.some(page => docs.startsWith(page)),
          docs,
        )
      }
    })

  for (const provider of files)
    test(`${provider}: a mistake of each kind is among those that are refused`, () => {
      const groups = new Set(references[provider]?.mistakes.map(each => each.field.split('.')[0]))
      for (const group of ['pathParams', 'queryParameters', 'requestBody']) assert.ok(groups.has(group), group)
    })
})

test('the names that the documents of the Connectivity API and its users know are there', () => {
  const { catalogue } = hub.rooms.hub.context
  for (const [provider, alias, id] of [
    ['slack', 'chat_postMessage', 'chat_postMessage'],
    ['slack', 'chat_update', 'chat_update'],
    ['slack', 'send-message', 'chat_postMessage'],
    ['hubspot', 'createContact', 'createContact'],
    ['hubspot', 'create-contact', 'createContact'],
    ['salesforce', 'createRecord', 'create-record'],
    ['salesforce', 'createContact', 'create-contact'],
    ['github', 'create-issue', 'issues-create'],
    ['google-drive', 'list-files', 'files-list'],
  ] as const)
    assert.equal(catalogue.action(provider, alias)?.id, id)
})
