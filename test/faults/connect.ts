/** Faults in connect sessions, sockets and what a page sends: whose it is, what it may, who hears of it. */
import type { Fault } from './fault.ts'

const sessions = 'test/nango/sessions.test.ts'
const errors = 'test/nango/sessions.errors.test.ts'
const socket = 'test/nango/socket.test.ts'
const keys = 'test/nango/keys.test.ts'

export const connectFaults: readonly Fault[] = [
  {
    guard: 'no parameter of the authorization URL that the hub sets can be named',
    file: 'src/core/grants/authorization-params.ts',
    text: 'own.has(lower) || ',
    becomes: '',
    caughtBy: ['src/core/grants/authorization-params.test.ts', 'no parameter that the hub sets'],
  },
  {
    guard: 'a public key alone asks for no more than the operator set up',
    file: 'src/core/asked.ts',
    text: "if (more !== undefined && ask.trust === 'public')",
    becomes: 'if (false)',
    caughtBy: [socket, 'a flow that cannot begin'],
  },
  {
    guard: 'a session allows what the back end says',
    file: 'src/core/open-session.ts',
    text: 'if (allowed === undefined || allowed.includes(integrationKey))',
    becomes: 'if (true)',
    caughtBy: [sessions, 'what a page may not'],
  },
  {
    guard: 'what the back end fixed stands',
    file: 'src/core/open-session.ts',
    text: 'params: { ...chosen.params, ...fixed.params }',
    becomes: 'params: { ...fixed.params, ...chosen.params }',
    caughtBy: [sessions, 'a flow with a session'],
  },
  {
    guard: 'what is under way ends with its session',
    file: 'src/core/connect.ts',
    text: 'if (sessionId !== undefined && !session)',
    becomes: 'if (false)',
    caughtBy: [sessions, 'a session that is ended'],
  },
  {
    guard: 'a repair makes no other connection',
    file: 'src/core/connect.ts',
    text: 'if (attempt.repairs !== undefined && !existing) throw repairedIsGone()',
    becomes: '',
    caughtBy: [sessions, 'a connection that is deleted'],
  },
  {
    guard: 'a connection is refreshed by its own client',
    file: 'src/core/own-client.ts',
    text: 'clientOf(context, integration, row.config, own)',
    becomes: 'clientOf(context, integration, row.config, undefined)',
    caughtBy: [sessions, 'a client of the end user'],
  },
  {
    guard: 'a session is over after half an hour',
    file: 'src/http/nango/starter.ts',
    text: 'session.expiresAt > context.clock.now()',
    becomes: 'true',
    caughtBy: [sessions, 'a session is kept to the browser'],
  },
  {
    guard: 'a session is shown around listed pages only',
    file: 'src/http/nango/page.ts',
    text: 'if (framedBy === undefined || framedBy === publicUrl || allowed.includes(framedBy)) return session',
    becomes: 'return session',
    caughtBy: [errors, 'the page of a session'],
  },
  {
    guard: 'pages of listed origins only wait on a socket',
    file: 'src/http/socket.ts',
    text: 'if (origin !== undefined && !isOwnOrigin(access, origin) && !(await mayAsk(context, origin)))',
    becomes: 'if (false)',
    caughtBy: [socket, 'pages of other origins'],
  },
  {
    guard: 'the window of a flow stays until its page was told',
    file: 'src/http/callback.ts',
    text: 'closes: await wasTold(hub, attempt)',
    becomes: 'closes: true',
    caughtBy: [socket, 'a name is one page'],
  },
  {
    guard: 'a page is told once',
    file: 'src/storage/listeners.ts',
    text: ".where('told_at', 'is', null)",
    becomes: '',
    caughtBy: ['test/storage.test.ts', 'an attempt is untold'],
  },
  {
    guard: 'the origin of a credential is looked at',
    file: 'src/http/nango/keys.ts',
    text: "checkBrowserOrigin(request, access, await storage.allowed(environment.id, 'origin'), dev)",
    becomes: '',
    caughtBy: [keys, 'a page of another origin'],
  },
  {
    guard: 'a bare public key cannot replace a connection by a key',
    file: 'src/core/give.ts',
    text: 'if (existing) mayRepair(trust, existing, account)',
    becomes: '',
    caughtBy: [keys, 'with a public key'],
  },
]
