/** Faults in what is stored, shown, logged, and kept fresh. */
import type { Fault } from './fault.ts'

const stored = 'test/attacks/stored.test.ts'
const pages = 'test/attacks/pages.test.ts'

export const storedFaults: readonly Fault[] = [
  {
    guard: 'a blob is bound to its place',
    file: 'src/seal/seal.ts',
    text: 'start + part(table) + part(row) + part(field)',
    becomes: 'start',
    caughtBy: [stored, "a credential's blob moved"],
  },
  {
    guard: 'a blob is bound to its field',
    file: 'src/seal/seal.ts',
    text: 'start + part(table) + part(row) + part(field)',
    becomes: 'start + part(table) + part(row)',
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
    caughtBy: [pages, 'script in'],
  },
  {
    guard: 'credentials are sealed',
    file: 'src/core/sealed.ts',
    text: "const access = sealer.seal(['connections', id, 'access'], JSON.stringify([...secrets, bare.raw]))",
    becomes:
      "const access = sealer.seal(['connections', id, 'access'], JSON.stringify([...secrets, bare.raw])); Object.assign(credential, { scopes: [credential.accessToken.reveal()] })",
    caughtBy: ['test/canary.test.ts', 'no token'],
  },
  {
    guard: 'logs repeat nothing of a request',
    file: 'src/core/refresh-run.ts',
    text: 'code: error.code, status, reply, verdict }',
    becomes: 'code: error.code, status, reply, verdict, token: refreshToken.reveal() }',
    caughtBy: ['test/canary.test.ts', 'no token'],
  },
  {
    guard: 'a token is not kept in clear',
    file: 'src/catalogue/catalogue.ts',
    text: 'secret === path || secret.startsWith(`${path}.`)',
    becomes: 'false',
    caughtBy: ['src/catalogue/catalogue.test.ts', 'is refused for a token'],
  },
  {
    guard: 'a definition names the person',
    file: 'src/catalogue/catalogue.ts',
    text: 'provider.identity && !provider.identity.person && !provider.identity.shared',
    becomes: 'false',
    caughtBy: ['src/catalogue/catalogue.test.ts', 'is refused for an identity that'],
  },
  {
    guard: 'a line for a shell is quoted',
    file: 'src/http/pages.ts',
    text: 'quoted(outcome.connectionId)',
    becomes: 'outcome.connectionId',
    caughtBy: [pages, 'the lines to paste'],
  },
  {
    guard: 'a URL for a shell is encoded',
    file: 'src/http/pages.ts',
    text: "[!'()*~]",
    becomes: '[#]',
    caughtBy: [pages, 'the lines to paste'],
  },
  {
    guard: 'a nested token is found',
    file: 'providers/slack.yaml',
    text: 'accessToken: [access_token, authed_user.access_token]',
    becomes: 'accessToken: access_token',
    caughtBy: ['test/catalogue.test.ts', "Slack's user token"],
  },
  {
    guard: 'dev plays what was added for it',
    file: 'src/dev.ts',
    text: 'if (!integration.sandbox) continue',
    becomes: 'if (!sandboxProviders.includes(integration.key)) continue',
    caughtBy: ['test/cli.test.ts', 'integrations add --sandbox'],
  },
]
