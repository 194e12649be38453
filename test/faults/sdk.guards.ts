/** The server SDK: each guard taken away, and caught. */
import { catchAll } from './guards.ts'
import { sdkFaults } from './sdk.ts'

catchAll(sdkFaults)
