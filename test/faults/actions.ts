/** Faults in actions and walks: what is sent where, and when a walk ends. */
import type { Fault } from './fault.ts'

const walk = 'test/walk.test.ts'
const requests = 'src/core/action-request.test.ts'

export const actionFaults: readonly Fault[] = [
  {
    guard: 'a walk that goes in a circle ends',
    file: 'src/core/walk.ts',
    text: 'if (seen.has(next) || next === at)',
    becomes: 'if (pages > 500)',
    caughtBy: [walk, 'pages that lead in a circle'],
  },
  {
    guard: 'a walk without items ends',
    file: 'src/core/walk.ts',
    text: 'if (empty > mostEmpty)',
    becomes: 'if (pages > 500)',
    caughtBy: [walk, 'pages that lead in a circle'],
  },
  {
    guard: 'a connection that was deleted is walked no further',
    file: 'src/core/hub.ts',
    text: 'const now = first ? row : await world.storage.connectionById(row.environmentId, row.id)',
    becomes: 'const now = row',
    caughtBy: [walk, 'who is disconnected meanwhile'],
  },
  {
    guard: 'a walk ends when the hub stops',
    file: 'src/core/walk.ts',
    text: 'options.stopping?.aborted',
    becomes: 'false',
    caughtBy: [walk, 'a hub that stops ends a walk'],
  },
  {
    guard: 'the place of a walk that a caller gives is looked at',
    file: 'src/core/walk.ts',
    text: 'if (start.at !== undefined && isCounted(paginate) && !/^\\d{1,15}$/.test(start.at))',
    becomes: 'if (false)',
    caughtBy: [walk, 'what is wrong is named'],
  },
  {
    guard: 'a link to the next page carries no user and no password',
    file: 'src/core/action-request.ts',
    text: "if (url?.username === '' && url.password === '') return url",
    becomes: 'if (url) return url',
    caughtBy: [requests, 'the link to a further page'],
  },
]
