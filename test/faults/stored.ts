/** Faults in what is stored, shown, logged, and kept fresh. */
import type { Fault } from './fault.ts'

const stored = 'test/attacks/stored.test.ts'
const pages = 'test/attacks/pages.test.ts'
const refresh = 'test/refresh.test.ts'

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
    guard: 'a write is tried again',
    file: 'src/core/refresh.ts',
    text: 'if (wait === undefined) throw error',
    becomes: 'throw error',
    caughtBy: [refresh, 'a rotated token outlives'],
  },
  {
    guard: 'what could not be written is held',
    file: 'src/core/refresh.ts',
    text: 'kept?.row.credentialRevision === row.credentialRevision ? kept.renewed : await exchange(row)',
    becomes: 'await exchange(row)',
    caughtBy: [refresh, 'a rotated token that cannot'],
  },
  {
    guard: 'what is held is written at the end',
    file: 'src/core/refresh.ts',
    text: 'await Promise.allSettled([...held.values()].map(({ row, renewed }) => write(row, renewed)))',
    becomes: '',
    caughtBy: [refresh, 'a hub that stops'],
  },
  {
    guard: 'an answer without expires_in keeps the life',
    file: 'src/core/grants/refresh-token.ts',
    text: 'silent && before.lifetime !== undefined',
    becomes: 'false',
    caughtBy: [refresh, 'an answer without expires_in'],
  },
  {
    guard: 'who comes back during a refresh wins',
    file: 'src/core/refresh.ts',
    text: 'if (flagged) throw error',
    becomes: 'throw error',
    caughtBy: [refresh, 'an end user who comes back'],
  },
  {
    guard: 'a provider that is down is left alone',
    file: 'src/core/refresh.ts',
    text: 'if (alive && (resting.get(keyOf(row)) ?? 0) > now.getTime()) return row',
    becomes: '',
    caughtBy: [refresh, 'a provider that is down'],
  },
  {
    guard: 'Retry-After is kept to',
    file: 'src/core/refresh.ts',
    text: 'retryAfter === undefined ? rest : retryAfter * 1000',
    becomes: 'rest',
    caughtBy: [refresh, 'Retry-After says'],
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
