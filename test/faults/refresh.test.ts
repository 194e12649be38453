/** What keeps a token from being spent twice or lost: each guard taken away, and caught. */
import { catchAll } from './guards.ts'
import { refreshFaults } from './refresh.ts'
import { sqliteFaults } from './sqlite.ts'

catchAll([...refreshFaults, ...sqliteFaults])
