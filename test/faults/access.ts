/** Faults in who may call, and in what the hub may call. */
import type { Fault } from './fault.ts'

const access = 'test/attacks/access.test.ts'
const keyless = 'test/attacks/keyless.test.ts'
const serve = 'test/attacks/serve.test.ts'

export const accessFaults: readonly Fault[] = [
  {
    guard: 'other pages are kept out',
    file: 'src/http/app.ts',
    text: 'if (!stepsOfFlow.has(route)) checkOwnPage(request, access)',
    becomes: '',
    caughtBy: [access, 'a web page of another origin'],
  },
  {
    guard: 'Sec-Fetch-Site is looked at',
    file: 'src/http/auth.ts',
    text: "return own && (site === undefined || site === 'same-origin' || site === 'none')",
    becomes: 'return own',
    caughtBy: [access, 'a web page of another origin'],
  },
  {
    guard: 'the Host is a loopback name',
    file: 'src/http/auth.ts',
    text: "if (!isLoopbackHost(hostOf(request)?.hostname ?? ''))",
    becomes: 'if (false)',
    caughtBy: [access, 'a rebinding name'],
  },
  {
    guard: 'pages are kept from rebinding names too',
    file: 'src/http/app.ts',
    text: 'checkLocal(request)\n',
    becomes: '\n',
    caughtBy: [access, 'a rebinding name'],
  },
  {
    guard: 'proxies are noticed',
    file: 'src/http/auth.ts',
    text: 'if (forwarded !== undefined)',
    becomes: 'if (false)',
    caughtBy: [access, 'a request that came through a proxy'],
  },
  {
    guard: 'what is no secret key limits',
    file: 'src/http/auth.ts',
    text: 'if (limited) throw limited',
    becomes: '',
    caughtBy: [access, 'a secret key is ignored'],
  },
  {
    guard: 'the origin of a start is looked at',
    file: 'src/http/nango/routes.ts',
    text: "checkBrowserOrigin(request, access, await storage.allowed(environment.id, 'origin'), dev)",
    becomes: '',
    caughtBy: [access, 'a flow starts in a window'],
  },
  {
    guard: 'a list holds its own environment only',
    file: 'src/storage/sql.ts',
    text: "let rows = db.selectFrom('connections').selectAll().where('environment_id', '=', environmentId)",
    becomes: "let rows = db.selectFrom('connections').selectAll().where('environment_id', '>', 0)",
    caughtBy: [access, 'a key of another environment'],
  },
  {
    guard: 'a revoked key is forgotten',
    file: 'src/core/keys.ts',
    text: '.filter(key => key.revokedAt === undefined)',
    becomes: '',
    caughtBy: [access, 'once a key exists'],
  },
  {
    guard: 'scopes are looked at',
    file: 'src/http/nango/routes.ts',
    text: "requireScope(request.caller, 'connections:read')",
    becomes: '',
    caughtBy: [access, 'a key without credentials:read'],
  },
  {
    guard: 'the hot read looks in its own environment',
    file: 'src/storage/sql.ts',
    text: 'WHERE environment_id = ? AND',
    becomes: 'WHERE ? IS NOT NULL AND',
    caughtBy: [access, 'a key of another environment'],
  },
  {
    guard: 'pages are kept from other web pages',
    file: 'src/http/app.ts',
    text: 'if (!stepsOfFlow.has(route)) checkOwnPage(request, access)',
    becomes: "if (route.startsWith('/connection')) checkOwnPage(request, access)",
    caughtBy: [keyless, 'another web page cannot even'],
  },
  {
    guard: 'steps of a flow are open to other sites',
    file: 'src/http/app.ts',
    text: 'if (!stepsOfFlow.has(route)) checkOwnPage(request, access)',
    becomes: 'checkOwnPage(request, access)',
    caughtBy: [keyless, 'a link of another site'],
  },
  {
    guard: 'a public key limits as Basic and bare, too',
    file: 'src/http/auth.ts',
    text: "return { token: header, password: '', scheme: 'none' }",
    becomes: "return { token: '', password: '', scheme: 'none' }",
    caughtBy: [keyless, 'what is no secret key'],
  },
  {
    guard: 'a secret key may look like anything',
    file: 'src/http/auth.ts',
    text: 'throw limitOf(token) ?? error',
    becomes: 'throw error',
    caughtBy: [keyless, 'a secret key that looks'],
  },
  {
    guard: 'a JWT that is a secret key is one',
    file: 'src/http/auth.ts',
    text: 'if (mayBeKeyless(access) && keys.unused) {\n    const limited',
    becomes:
      'if (limitOf(token)) throw limitOf(token)\n  if (mayBeKeyless(access) && keys.unused) {\n    const limited',
    caughtBy: [keyless, 'a secret key that looks'],
  },
  {
    guard: 'with a key, pages are kept from rebinding names',
    file: 'src/http/app.ts',
    text: 'if (!host || !isLoopbackHost(host.hostname))',
    becomes: 'if (!host)',
    caughtBy: [keyless, 'with a key, too'],
  },
  {
    guard: 'the target is a path',
    file: 'src/http/app.ts',
    text: "if (!request.raw.url?.startsWith('/'))",
    becomes: 'if (false)',
    caughtBy: [keyless, 'a request that names a second host'],
  },
  {
    guard: 'the Host is nothing but a host',
    file: 'src/http/auth.ts',
    text: "return host?.username === '' && host.password === '' && host.pathname === '/' && host.search === '' ? host : undefined",
    becomes: 'return host',
    caughtBy: [keyless, 'a request that names a second host'],
  },
  {
    guard: 'production has no sandbox',
    file: 'src/core/setup.ts',
    text: 'if (ask.sandbox && !context.maySandbox)',
    becomes: 'if (false)',
    caughtBy: [serve, 'in production'],
  },
  {
    guard: 'addresses are looked at',
    file: 'src/net/address.ts',
    text: 'const family = isIP(address)',
    becomes: 'if (isIP(address)) return true\n  const family = isIP(address)',
    caughtBy: ['src/net/call.test.ts', 'is refused before a byte leaves'],
  },
]
