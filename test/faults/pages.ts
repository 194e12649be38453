/** Faults in who sees the pages, and in what their forms may change. */
import type { Fault } from './fault.ts'

const access = 'test/pages.access.test.ts'
const settings = 'test/pages.settings.test.ts'
const attacks = 'test/attacks/pages.test.ts'
const routes = 'src/http/dashboard/routes.ts'
const keys = 'src/http/dashboard/api-keys.ts'

export const pageFaults: readonly Fault[] = [
  {
    guard: "a form comes from the hub's own page",
    file: routes,
    text: "if (request.method !== 'GET') checkOwnForm(request, access)",
    becomes: '',
    caughtBy: [access, 'a form that another page sent'],
  },
  {
    guard: "a form's origin is compared",
    file: 'src/http/dashboard/own-form.ts',
    text: "own && (site === undefined || site === 'same-origin')",
    becomes: "site === undefined || site === 'same-origin'",
    caughtBy: [access, 'a form that another page sent'],
  },
  {
    guard: "a form's site is looked at",
    file: 'src/http/dashboard/own-form.ts',
    text: "own && (site === undefined || site === 'same-origin')",
    becomes: 'own',
    caughtBy: [access, 'a form that another page sent'],
  },
  {
    guard: 'a form without an origin proves nothing',
    file: 'src/http/dashboard/own-form.ts',
    text: "origin === undefined ? site === 'same-origin'",
    becomes: "origin === undefined ? site !== 'cross-site'",
    caughtBy: [access, 'a form that another page sent'],
  },
  {
    guard: 'the pages look at scopes',
    file: routes,
    text: 'requireScope(request.caller, scope)',
    becomes: 'undefined',
    caughtBy: [access, 'each page and each form'],
  },
  {
    guard: 'a refused form shows its page to nobody who may not see it',
    file: 'src/http/dashboard/frame.ts',
    text: "if (error.code === 'internal' || !request.caller.scopes.has(seeing)) throw thrown",
    becomes: "if (error.code === 'internal') throw thrown",
    caughtBy: [access, 'each page and each form'],
  },
  {
    guard: 'users are named to a key that may list them',
    file: 'src/http/dashboard/embedded.ts',
    text: "scopes.has('connections:read') ?",
    becomes: 'true ?',
    caughtBy: [access, 'each page and each form'],
  },
  {
    guard: 'a key hands out its own scopes only',
    file: keys,
    text: 'for (const scope of granted) requireScope(request.caller, scope)',
    becomes: '',
    caughtBy: [access, 'a key hands out'],
  },
  {
    guard: 'no scope is not every scope',
    file: keys,
    text: 'if (typed.scopes.length === 0)',
    becomes: 'if (false)',
    caughtBy: [access, 'a key hands out'],
  },
  {
    guard: 'a key ends no key that may more',
    file: keys,
    text: 'for (const scope of key?.scopes ?? []) requireScope(request.caller, scope)',
    becomes: '',
    caughtBy: [access, 'a key hands out'],
  },
  {
    guard: 'the pages show the environment of the key',
    file: routes,
    text: 'environmentOf(request.caller.environmentId)',
    becomes: 'environmentOf(access.firstEnvironment.id)',
    caughtBy: [access, "another environment's"],
  },
  {
    guard: 'the list holds the connections of the key',
    file: 'src/http/dashboard/connections.ts',
    text: 'const { environmentId } = request.caller',
    becomes: 'const environmentId = pages.access.firstEnvironment.id',
    caughtBy: [access, "another environment's"],
  },
  {
    guard: 'a connection is found in the environment of the key',
    file: 'src/http/dashboard/connection.ts',
    text: 'findConnection(hub.context, request.caller.environmentId, request.params.id)',
    becomes: 'findConnection(hub.context, pages.access.firstEnvironment.id, request.params.id)',
    caughtBy: [access, "another environment's"],
  },
  {
    guard: 'keys are listed by environment',
    file: 'src/core/setup.ts',
    text: 'key.environmentId === environment.id',
    becomes: 'environment.id > 0 || key',
    caughtBy: [access, "another environment's"],
  },
  {
    guard: 'the dashboard is kept from rebinding names',
    file: 'src/http/app.ts',
    text: '(forBrowsers.has(route) || isDashboard(route))',
    becomes: 'forBrowsers.has(route)',
    caughtBy: [access, 'a hub without a key shows'],
  },
  {
    guard: 'a form that is sent again makes no other secret',
    file: 'src/http/dashboard/webhooks.ts',
    text: "String(endpoint.revision) !== formOf(request).get('revision')",
    becomes: 'false',
    caughtBy: [settings, 'webhooks: the URL is changed'],
  },
  {
    guard: 'what the dashboard prints is escaped',
    file: 'src/http/html.ts',
    text: 'escaped(String(part))',
    becomes: 'String(part)',
    caughtBy: [attacks, 'script in whatever the dashboard'],
  },
  {
    guard: 'no frame embeds the dashboard',
    file: 'src/http/html.ts',
    text: "; frame-ancestors 'none'",
    becomes: '',
    caughtBy: [attacks, 'a foreign frame'],
  },
  {
    guard: 'no old browser frames the dashboard',
    file: 'src/http/app.ts',
    text: "'x-frame-options': 'DENY'",
    becomes: "'x-frame-options': 'SAMEORIGIN'",
    caughtBy: [attacks, 'a foreign frame'],
  },
]
