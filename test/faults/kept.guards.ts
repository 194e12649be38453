/** What is written, refreshed and moved between hubs: each further guard taken away, and caught. */
import { catchAll } from './guards.ts'
import { moveFaults } from './move.ts'
import { refreshFaults } from './refresh.ts'
import { sqliteFaults } from './sqlite.ts'

catchAll([...refreshFaults.filter(each => each.name === undefined), ...sqliteFaults, ...moveFaults])
