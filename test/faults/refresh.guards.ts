/** What keeps a token from being spent twice or lost: each guard that `npm run faults` knows by name taken away, and caught. */
import { catchAll } from './guards.ts'
import { refreshFaults } from './refresh.ts'

catchAll(refreshFaults.filter(each => each.name !== undefined))
