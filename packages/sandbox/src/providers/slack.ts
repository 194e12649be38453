/** Slack's OAuth v2, of an app that has token rotation on and has not been switched to a public client. */
import { type Answer, expectation, type Issue } from '../expectation.ts'

/** Errors are answered with HTTP 200. https://docs.slack.dev/apis/web-api/#slack-web-api__evaluating-responses__error-responses */
const refusal = (error: string): Answer => ({ status: 200, body: { ok: false, error } })

/** Scopes under `scope` are the bot's, those under `user_scope` the user's. https://docs.slack.dev/authentication/installing-with-oauth */
const asksForUserToken = (issue: Issue): boolean =>
  !issue.scopesIn.includes('scope') && issue.scopesIn.includes('user_scope')

const appId = (clientId: string): string =>
  `A0${clientId
    .replace(/[^A-Za-z0-9]/g, '')
    .toUpperCase()
    .padEnd(9, '0')
    .slice(0, 9)}`

const botId = (team: string): string => `U0${team.slice(1)}`

const place = (issue: Issue) => ({
  app_id: appId(issue.clientId),
  team: { name: issue.account.name, id: issue.account.id },
  enterprise: null,
  is_enterprise_install: false,
})

const token = (issue: Issue, token_type: 'bot' | 'user') => ({
  access_token: issue.accessToken,
  ...(issue.refreshToken !== undefined ? { expires_in: issue.expiresIn, refresh_token: issue.refreshToken } : {}),
  token_type,
  scope: issue.scopes.join(','),
})

const installed = (issue: Issue): Answer => ({
  status: 200,
  body: asksForUserToken(issue)
    ? { ok: true, ...place(issue), authed_user: { id: issue.account.person.id, ...token(issue, 'user') } }
    : {
        ok: true,
        ...token(issue, 'bot'),
        bot_user_id: botId(issue.account.id),
        ...place(issue),
        authed_user: { id: issue.account.person.id },
      },
})

/** A refreshed token stands at the top level, a user's too. https://docs.slack.dev/authentication/using-token-rotation */
const refreshed = (issue: Issue): Answer => ({
  status: 200,
  body: {
    ok: true,
    ...token(issue, asksForUserToken(issue) ? 'user' : 'bot'),
    ...(asksForUserToken(issue) ? {} : { bot_user_id: botId(issue.account.id) }),
    ...place(issue),
  },
})

export default expectation({
  provider: 'slack',
  documents: [
    'https://docs.slack.dev/authentication/installing-with-oauth',
    'https://docs.slack.dev/reference/methods/oauth.v2.access',
    'https://docs.slack.dev/authentication/using-token-rotation',
    'https://docs.slack.dev/authentication/using-pkce',
    'https://docs.slack.dev/reference/methods/auth.revoke',
    'https://docs.slack.dev/reference/methods/auth.test',
  ],
  authorize: {
    url: 'https://slack.com/oauth/v2/authorize',
    query: { team: 'optional', granular_bot_scope: 'optional' },
    responseType: false,
    scopes: { params: ['scope', 'user_scope'], separators: [','], required: true },
    pkce: 'refused',
  },
  code: {
    url: 'https://slack.com/api/oauth.v2.access',
    client: 'either',
    body: 'either',
    grantType: 'optional',
    answer: installed,
  },
  refresh: {
    url: 'https://slack.com/api/oauth.v2.access',
    client: 'either',
    body: 'either',
    rotates: true,
    // "we will enforce a limit of 2 active tokens": https://docs.slack.dev/authentication/using-token-rotation#refresh-a-token
    // The "short grace period" of a spent refresh token has no length there, so that there is none here.
    accessTokens: 2,
    answer: refreshed,
  },
  offline: 'always',
  lifetime: 43200,
  errors: {
    invalid_client: refusal('bad_client_secret'),
    invalid_request: refusal('invalid_arguments'),
    invalid_code: refusal('invalid_code'),
    redirect_mismatch: refusal('bad_redirect_uri'),
    bad_verifier: refusal('pkce_not_allowed'),
    invalid_refresh_token: refusal('invalid_refresh_token'),
    unsupported_grant_type: refusal('invalid_grant_type'),
  },
  prefix: { access: 'xoxe.xoxb-1-', refresh: 'xoxe-1-' },
  revoke: {
    url: 'https://slack.com/api/auth.revoke',
    method: 'POST',
    client: 'bearer',
    body: 'form',
    accepts: ['access'],
    answer: { status: 200, body: { ok: true, revoked: true } },
  },
  api: [
    {
      method: 'POST',
      url: 'https://slack.com/api/auth.test',
      answer: ({ account }) => ({
        status: 200,
        body: {
          ok: true,
          url: `https://${account.name.toLowerCase()}.slack.com/`,
          team: account.name,
          user: 'mortise',
          team_id: account.id,
          user_id: botId(account.id),
          bot_id: `B0${account.id.slice(1)}`,
          is_enterprise_install: false,
        },
      }),
    },
  ],
  unplayed: 'https://slack.com/api',
  unauthorized: refusal('invalid_auth'),
  accounts: [
    { id: 'T9TK3CUKW', name: 'Acme', person: { id: 'U061F7AUR', name: 'Ada Lovelace', email: 'ada@acme.example' } },
    {
      id: 'T0G9PQBBK',
      name: 'Globex',
      person: { id: 'U0G9QF9C6', name: 'Grace Hopper', email: 'grace@globex.example' },
    },
  ],
})
