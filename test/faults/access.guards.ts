/** Who may come in, and what they find: each guard taken away, and caught. */
import { accessFaults } from './access.ts'
import { flowFaults } from './flow.ts'
import { catchAll } from './guards.ts'
import { mixedUpFaults } from './mixed-up.ts'
import { sessionFaults } from './sessions.ts'
import { storedFaults } from './stored.ts'

catchAll([...flowFaults, ...accessFaults, ...storedFaults, ...sessionFaults, ...mixedUpFaults])
