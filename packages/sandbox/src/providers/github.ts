/**
 * GitHub's web application flow, of a GitHub App with expiring user tokens: its answers have the keys of an OAuth app's
 * and those of expiry. The scopes asked for come back separated by commas, as an OAuth app's do; a GitHub App asks for
 * none and gets an empty string.
 */
import { type Answer, expectation, type Issue } from '../expectation.ts'

/** Errors are answered with HTTP 200. */
const refusal = (error: string, error_description: string, page: string): Answer => ({
  status: 200,
  body: { error, error_description, error_uri: `/apps/managing-oauth-apps/${page}` },
})
const tokenErrors = 'troubleshooting-oauth-app-access-token-request-errors'
const badCode = refusal(
  'bad_verification_code',
  'The code passed is incorrect or expired.',
  `${tokenErrors}/#bad-verification-code`,
)

const tokens = (issue: Issue): Answer => ({
  status: 200,
  body: {
    access_token: issue.accessToken,
    expires_in: issue.expiresIn,
    refresh_token: issue.refreshToken,
    refresh_token_expires_in: 15811200,
    scope: issue.scopes.join(','),
    token_type: 'bearer',
  },
})

const login = (email: string): string => email.split('@')[0] ?? email

export default expectation({
  provider: 'github',
  name: 'GitHub',
  documents: [
    'https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps',
    'https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app',
    'https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens',
    'https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors',
    'https://docs.github.com/en/rest/users/users#get-the-authenticated-user',
    'https://docs.github.com/en/rest/apps/oauth-applications#delete-an-app-token',
  ],
  authorize: {
    url: 'https://github.com/login/oauth/authorize',
    query: {
      login: 'optional',
      allow_signup: { oneOf: ['true', 'false'], optional: true },
      prompt: { oneOf: ['select_account'], optional: true },
    },
    responseType: false,
    scopes: { params: ['scope'], separators: [' '] },
    // https://github.blog/changelog/2025-07-14-pkce-support-for-oauth-and-github-app-authentication
    pkce: 'supported',
  },
  code: {
    url: 'https://github.com/login/oauth/access_token',
    client: 'body',
    body: 'either',
    // Without it the answer is a form.
    headers: { accept: { is: 'application/json' } },
    params: { repository_id: 'optional' },
    grantType: false,
    redirectUri: 'optional',
    answer: tokens,
  },
  refresh: {
    url: 'https://github.com/login/oauth/access_token',
    client: 'body',
    body: 'either',
    headers: { accept: { is: 'application/json' } },
    rotates: true,
    // "Once you use a refresh token, that refresh token and the old user access token will no longer work."
    accessTokens: 1,
    // refresh_token_expires_in: "always 15811200 (6 months)"
    idleSeconds: 15811200,
    answer: tokens,
  },
  offline: 'always',
  lifetime: 28800,
  errors: {
    invalid_client: refusal(
      'incorrect_client_credentials',
      'The client_id and/or client_secret passed are incorrect.',
      `${tokenErrors}/#incorrect-client-credentials`,
    ),
    invalid_code: badCode,
    bad_verifier: badCode,
    redirect_mismatch: refusal(
      'redirect_uri_mismatch',
      'The redirect_uri MUST match the registered callback URL for this application.',
      'troubleshooting-authorization-request-errors/#redirect-uri-mismatch2',
    ),
    invalid_refresh_token: {
      status: 200,
      body: {
        error: 'bad_refresh_token',
        error_description: 'The refresh token passed is incorrect or expired.',
        error_uri: 'https://docs.github.com',
      },
    },
  },
  prefix: { access: 'ghu_', refresh: 'ghr_' },
  revoke: {
    url: 'https://api.github.com/applications/{client_id}/token',
    method: 'DELETE',
    client: 'basic',
    body: 'json',
    param: 'access_token',
    accepts: ['access'],
    answer: { status: 204, body: undefined },
  },
  api: [
    {
      method: 'GET',
      url: 'https://api.github.com/user',
      // https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api#user-agent
      headers: { 'user-agent': 'required' },
      answer: ({ account }) => {
        const name = login(account.person.email)
        const api = `https://api.github.com/users/${name}`
        return {
          status: 200,
          body: {
            login: name,
            id: Number(account.id),
            node_id: Buffer.from(`04:User${account.id}`).toString('base64'),
            avatar_url: `https://avatars.githubusercontent.com/u/${account.id}?v=4`,
            gravatar_id: '',
            url: api,
            html_url: `https://github.com/${name}`,
            followers_url: `${api}/followers`,
            following_url: `${api}/following{/other_user}`,
            gists_url: `${api}/gists{/gist_id}`,
            starred_url: `${api}/starred{/owner}{/repo}`,
            subscriptions_url: `${api}/subscriptions`,
            organizations_url: `${api}/orgs`,
            repos_url: `${api}/repos`,
            events_url: `${api}/events{/privacy}`,
            received_events_url: `${api}/received_events`,
            type: 'User',
            site_admin: false,
            name: account.person.name,
            company: null,
            blog: '',
            location: null,
            email: account.person.email,
            hireable: null,
            bio: null,
            twitter_username: null,
            public_repos: 2,
            public_gists: 1,
            followers: 20,
            following: 0,
            created_at: '2018-01-14T04:33:35Z',
            updated_at: '2025-01-14T04:33:35Z',
          },
        }
      },
    },
  ],
  unplayed: 'https://api.github.com',
  unauthorized: {
    status: 401,
    body: { message: 'Bad credentials', documentation_url: 'https://docs.github.com/rest', status: '401' },
  },
  accounts: [
    { id: '583231', name: 'ada', person: { id: '583231', name: 'Ada Lovelace', email: 'ada@acme.example' } },
    { id: '739415', name: 'grace', person: { id: '739415', name: 'Grace Hopper', email: 'grace@globex.example' } },
  ],
})
