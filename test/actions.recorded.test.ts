/**
 * Every action of every actions file, run once through a hub: the sandbox records what the provider is asked, and that is
 * held against the provider's own reference (`test/actions/`), letter for letter.
 */
import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { basename } from 'node:path'
import { after, before, suite, test } from 'node:test'
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

const references: Readonly<Record<string, Reference>> = {
  github,
  'google-drive': googleDrive,
  hubspot,
  notion,
  salesforce,
  slack,
}

/** What the hub leaves to be done at the end, in the order of a test's own hooks. */
const ends: (() => unknown)[] = []
after(async () => {
  for (const end of ends) await end()
})
let hub: TestHub
const connections = new Map<string, string>()

before(async () => {
  hub = await startTestHub({ after: end => void ends.push(end as () => unknown) })
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
    test(`${provider}: a mistake of each kind is among those that are refused`, () => {
      const groups = new Set(references[provider]?.mistakes.map(each => each.field.split('.')[0]))
      for (const group of ['pathParams', 'queryParameters', 'requestBody']) assert.ok(groups.has(group), group)
    })
})
