/** Each guard stands in the code, once: a fault that cannot be planted any more would test nothing. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { accessFaults } from './access.ts'
import { actionFaults } from './actions.ts'
import { connectFaults } from './connect.ts'
import { flowFaults } from './flow.ts'
import { forgeryFaults } from './forgery.ts'
import { mixedUpFaults } from './mixed-up.ts'
import { moveFaults } from './move.ts'
import { pageFaults } from './pages.ts'
import { proxyFaults } from './proxy.ts'
import { refreshFaults } from './refresh.ts'
import { sdkFaults } from './sdk.ts'
import { sessionFaults } from './sessions.ts'
import { sqliteFaults } from './sqlite.ts'
import { storedFaults } from './stored.ts'
import { webhookFaults } from './webhooks.ts'

const root = new URL('../../', import.meta.url)
const read = (file: string) => readFileSync(new URL(file, root), 'utf8')

test('what `npm run guards` plants can be planted, and the tests that catch it are there', () => {
  const all = [
    ...[...refreshFaults, ...sqliteFaults, ...moveFaults, ...sdkFaults],
    ...[...flowFaults, ...accessFaults, ...storedFaults, ...sessionFaults],
    ...[...forgeryFaults, ...mixedUpFaults, ...webhookFaults, ...pageFaults, ...connectFaults, ...actionFaults],
    ...proxyFaults,
  ]
  const wrong = all.flatMap(fault =>
    [fault, ...(fault.also ? [fault.also] : [])]
      .filter(({ file, text }) => read(file).split(text).length !== 2)
      .map(({ file, text }) => `${fault.guard}: ${file}: ${text}`),
  )
  assert.deepEqual(wrong, [])
  for (const { caughtBy } of all) assert.ok(read(caughtBy[0]).length > 0)
})
