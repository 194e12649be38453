/**
 * Plants each fault in a copy of the code, one at a time, and watches the attack test catch it: a guard whose removal
 * nobody notices is no guard. The copy is thrown away.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

interface Fault {
  readonly guard: string
  readonly file: string
  readonly text: string
  readonly becomes: string
  /** The test file, and the beginning of the name of the test that must fail. */
  readonly caughtBy: readonly [file: string, name: string]
}

const flow = 'test/attacks/flow.test.ts'
const access = 'test/attacks/access.test.ts'
const stored = 'test/attacks/stored.test.ts'

const faults: readonly Fault[] = [
  {
    guard: 'a state is taken once',
    file: 'src/storage/sql.ts',
    text: ".where('taken_at', 'is', null)",
    becomes: '',
    caughtBy: [flow, 'the same callback twenty times'],
  },
  {
    guard: 'a finished callback shows its outcome to its own browser only',
    file: 'src/core/connect.ts',
    text: 'if (nonce === undefined || sha256(nonce) !== attempt.browserHash)',
    becomes: 'if (false)',
    caughtBy: [flow, 'a replayed state'],
  },
  {
    guard: 'a state is bound to its browser',
    file: 'src/storage/sql.ts',
    text: ".where('browser_hash', '=', browserHash)",
    becomes: '',
    caughtBy: [flow, 'another browser cannot finish'],
  },
  {
    guard: 'a state is demanded',
    file: 'src/core/connect.ts',
    text: 'if (callback.state === undefined)',
    becomes: 'if (false)',
    caughtBy: [flow, 'an omitted state'],
  },
  {
    guard: 'a state has a deadline',
    file: 'src/storage/sql.ts',
    text: ".where('expires_at', '>', now.getTime())",
    becomes: '',
    caughtBy: [flow, 'an expired state'],
  },
  {
    guard: 'a state is bound to its integration',
    file: 'src/core/connect.ts',
    text: 'integration.id !== attempt.integrationId',
    becomes: 'false',
    caughtBy: [flow, 'an attempt cannot finish'],
  },
  {
    guard: 'the return URL is on the list',
    file: 'src/core/connect.ts',
    text: 'if (allowed.includes(bare)) return',
    becomes: 'return',
    caughtBy: [flow, 'api_redirect_url off'],
  },
  {
    guard: 'the return URL is compared whole',
    file: 'src/core/connect.ts',
    text: 'if (allowed.includes(bare)) return',
    becomes: 'if (allowed.some(each => bare.startsWith(each))) return',
    caughtBy: [flow, 'api_redirect_url off'],
  },
  {
    guard: 'the return URL carries none of our parameters',
    file: 'src/http/nango/routes.ts',
    text: 'refuseReserved(asked)',
    becomes: '',
    caughtBy: [flow, 'api_redirect_url off'],
  },
  {
    guard: 'a value in a host is one label',
    file: 'src/core/template.ts',
    text: "if (kind === 'label' && !label.test(value))",
    becomes: 'if (false)',
    caughtBy: [flow, 'a templated subdomain'],
  },
  {
    guard: 'what the provider tells cannot be given',
    file: 'src/core/connect.ts',
    text: 'if (Object.hasOwn(provider.config, name))',
    becomes: 'if (false)',
    caughtBy: [flow, 'a templated subdomain'],
  },
  {
    guard: 'the issuer is compared',
    file: 'src/core/connect.ts',
    text: 'checkIssuer(attempt, callback.iss)',
    becomes: '',
    caughtBy: [flow, 'an answer of another issuer'],
  },
  {
    guard: 'a bare public key cannot replace',
    file: 'src/core/connect.ts',
    text: 'if (existing) mayRepair(attempt, existing.connection, account)',
    becomes: '',
    caughtBy: [flow, 'a bare public key'],
  },
  {
    guard: 'the HMAC is compared',
    file: 'src/core/hub.ts',
    text: 'if (equal(hmacSha256(',
    becomes: 'if (true || equal(hmacSha256(',
    caughtBy: [flow, 'a bare public key'],
  },
  {
    guard: 'a HEAD is no GET',
    file: 'src/http/app.ts',
    text: 'exposeHeadRoutes: false',
    becomes: 'exposeHeadRoutes: true',
    caughtBy: [flow, 'a HEAD'],
  },
  {
    guard: 'other pages are kept out',
    file: 'src/http/auth.ts',
    text: 'checkOwnPage(request, access)\n',
    becomes: '\n',
    caughtBy: [access, 'a web page of another origin'],
  },
  {
    guard: 'Sec-Fetch-Site is looked at',
    file: 'src/http/auth.ts',
    text: "(site !== undefined && site !== 'same-origin' && site !== 'none')",
    becomes: 'false',
    caughtBy: [access, 'a web page of another origin'],
  },
  {
    guard: 'the Host is a loopback name',
    file: 'src/http/auth.ts',
    text: 'if (!host || !isLoopbackHost(host.hostname))',
    becomes: 'if (false)',
    caughtBy: [access, 'a rebinding name'],
  },
  {
    guard: 'pages are kept from rebinding names too',
    file: 'src/http/app.ts',
    text: 'if (await isKeyless(access)) checkLocal(request)',
    becomes: '',
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
    text: '.filter(key => !isRevoked(key, clock.now()))',
    becomes: '.filter(key => !isRevoked(key, new Date(-1)))',
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
    guard: 'a blob is bound to its place',
    file: 'src/seal/seal.ts',
    text: 'additional(String(environmentId), ...place)',
    becomes: 'additional(String(environmentId))',
    caughtBy: [stored, "a credential's blob moved"],
  },
  {
    guard: 'a blob is bound to its field',
    file: 'src/seal/seal.ts',
    text: 'additional(String(environmentId), ...place)',
    becomes: 'additional(String(environmentId), ...place.slice(0, 2))',
    caughtBy: ['src/seal/seal.test.ts', 'does not open in another table, row or field'],
  },
  {
    guard: 'an unsealed value is not accepted',
    file: 'src/seal/seal.ts',
    text: 'return decrypt(key, aad(place), blob).toString()',
    becomes: 'return blob[0] === 1 ? decrypt(key, aad(place), blob).toString() : Buffer.from(blob).toString()',
    caughtBy: [stored, 'a value that was never sealed'],
  },
  {
    guard: 'what a page prints is escaped',
    file: 'src/http/html.ts',
    text: 'escaped(String(part))',
    becomes: 'String(part)',
    caughtBy: ['test/attacks/pages.test.ts', 'script in'],
  },
  {
    guard: 'credentials are sealed',
    file: 'src/core/sealed.ts',
    text: "const access = sealer.seal(['connections', id, 'access'], JSON.stringify([credential.accessToken.reveal(), bare.raw]))",
    becomes:
      "const access = sealer.seal(['connections', id, 'access'], JSON.stringify([credential.accessToken.reveal(), bare.raw])); Object.assign(credential, { scopes: [credential.accessToken.reveal()] })",
    caughtBy: ['test/canary.test.ts', 'no token'],
  },
  {
    guard: 'logs repeat nothing of a request',
    file: 'src/core/refresh.ts',
    text: "log.warn('a refresh failed', {",
    becomes: "log.warn('a refresh failed', { token: refreshToken.reveal(),",
    caughtBy: ['test/canary.test.ts', 'no token'],
  },
]

let copy = ''
before(() => {
  copy = mkdtempSync(join(tmpdir(), 'mortise-faults-'))
  for (const name of ['src', 'test', 'packages', 'providers', 'docs', 'package.json'])
    cpSync(join(root, name), join(copy, name), { recursive: true })
  // The sandbox is imported by its package name, and must be the copy's own.
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
})
after(() => rmSync(copy, { recursive: true, force: true }))

/** Whether the tests of that name pass in the copy, and how many ran. */
const attack = ([file, name]: Fault['caughtBy']): Promise<{ passed: boolean; ran: number; output: string }> =>
  new Promise(done => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const args = ['--test', '--test-reporter=tap', `--test-name-pattern=${name}`, file]
    execFile(process.execPath, args, { cwd: copy, env, timeout: 60_000 }, (error, output) => {
      const count = (what: string) => Number(new RegExp(`^# ${what} (\\d+)`, 'm').exec(output)?.[1] ?? 0)
      done({ passed: !error, ran: count('pass') + count('fail') + count('cancelled'), output })
    })
  })

for (const fault of faults)
  test(`caught: ${fault.guard}`, async () => {
    const file = join(copy, fault.file)
    const original = readFileSync(file, 'utf8')
    assert.equal(original.split(fault.text).length, 2, `the guard must stand once in ${fault.file}`)
    writeFileSync(
      file,
      original.replace(fault.text, () => fault.becomes),
    )
    try {
      const { passed, ran, output } = await attack(fault.caughtBy)
      assert.ok(ran > 0, `no test of that name ran:\n${output}`)
      assert.equal(passed, false, 'the attack went unnoticed')
      // It must fail by what it asserts, not because the code no longer loads.
      assert.match(output, /AssertionError|ERR_ASSERTION/, output)
    } finally {
      writeFileSync(file, original)
    }
  })
