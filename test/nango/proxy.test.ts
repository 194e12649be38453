/** The published clients, unmodified, through the proxy to the sandbox's Notion. The one of 2023 sends its headers as they are. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { connect, startTestHub, type TestHub } from '../harness.ts'
import { newKey } from '../page.ts'

const ends: (() => unknown)[] = []
after(async () => {
  for (const end of ends) await end()
})
let hub: TestHub
let key: string
const named = { providerConfigKey: 'notion', connectionId: 'ada' }

before(async () => {
  hub = await startTestHub({ after: end => void ends.push(end as () => unknown) })
  key = (await newKey(hub)).key
  await connect(hub, 'notion', { connection_id: 'ada' })
})

const clients = {
  async current() {
    const { Nango } = await import('nango-node-latest')
    return new Nango({ host: hub.origin, secretKey: key })
  },
  async 'of 2023'() {
    const { Nango } = await import('nango-node-2023')
    return new Nango({ host: hub.origin, secretKey: key })
  },
}

for (const [name, make] of Object.entries(clients))
  suite(`the client ${name}`, () => {
    test('get', async () => {
      const nango = await make()
      const { status, data } = await nango.get({ ...named, endpoint: '/v1/users/me', headers: { 'X-Trace': '1' } })
      assert.equal(status, 200)
      assert.equal(data.object, 'user')
    })
  })
