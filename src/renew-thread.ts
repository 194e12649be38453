/** The thread that `renew.ts` starts: claims and renews what is due until it is told to stop, and finishes what it began. */
import { once } from 'node:events'
import { setPriority } from 'node:os'
import { parentPort } from 'node:worker_threads'
import { readConfig } from './config.ts'
import { renewHere } from './renew.ts'
import { openRooms } from './rooms.ts'

if (!parentPort) throw new Error('renew-thread.ts is a thread that renew.ts starts.')
// On Linux it is this thread's alone: where both want one core, somebody waits for the read.
if (process.platform === 'linux') setPriority(5)
const stop = once(parentPort, 'message')
const rooms = await openRooms(readConfig(process.env, 'serve'), undefined, { writes: 'here' })
const renewing = renewHere(rooms)
await stop
await renewing.stop()
await rooms.hub.settle()
await rooms.storage.close()
process.exit()
