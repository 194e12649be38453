/** Where a proxied request may go: each guard taken away, and caught. */
import { forgeryFaults } from './forgery.ts'
import { catchAll } from './guards.ts'

catchAll(forgeryFaults)
