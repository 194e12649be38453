/** What is sent, shown and begun: each guard taken away, and caught. */
import { actionFaults } from './actions.ts'
import { connectFaults } from './connect.ts'
import { catchAll } from './guards.ts'
import { pageFaults } from './pages.ts'
import { proxyFaults } from './proxy.ts'
import { webhookFaults } from './webhooks.ts'

catchAll([...webhookFaults, ...pageFaults, ...connectFaults, ...actionFaults, ...proxyFaults])
