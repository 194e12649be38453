/** What is moved between hubs: each guard taken away, and caught. */
import { catchAll } from './guards.ts'
import { moveFaults } from './move.ts'

catchAll(moveFaults)
