/** What is kept fresh, written, sent and shown: each guard taken away, and caught. Two files, so that both cores have one. */
import { connectFaults } from './connect.ts'
import { catchAll } from './guards.ts'
import { pageFaults } from './pages.ts'
import { refreshFaults } from './refresh.ts'
import { sqliteFaults } from './sqlite.ts'
import { webhookFaults } from './webhooks.ts'

catchAll([...refreshFaults, ...sqliteFaults, ...webhookFaults, ...pageFaults, ...connectFaults])
