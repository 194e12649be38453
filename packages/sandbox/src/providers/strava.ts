import { people, tokens } from '../answers.ts'
import { type Answer, expectation, type Issue } from '../expectation.ts'

const answer = (issue: Issue): Answer => {
  const [firstname, lastname] = issue.account.person.name.split(' ')
  const athlete = {
    id: Number(issue.account.person.id),
    username: issue.account.person.email.split('@')[0],
    resource_state: 2,
    firstname,
    lastname,
  }
  return tokens(issue, {
    scope: undefined,
    expires_at: Math.floor(issue.now.getTime() / 1000) + (issue.expiresIn ?? 0),
    athlete: issue.kind === 'code' ? athlete : undefined,
  })
}

export default expectation({
  provider: 'strava',
  documents: ['https://developers.strava.com/docs/authentication/'],
  authorize: {
    url: 'https://www.strava.com/oauth/authorize',
    query: { approval_prompt: { oneOf: ['force', 'auto'], optional: true } },
    scopes: { params: ['scope'], separators: [','], required: true },
    pkce: 'ignored',
  },
  code: {
    url: 'https://www.strava.com/oauth/token',
    client: 'body',
    body: 'form',
    redirectUri: 'optional',
    answer,
  },
  refresh: { url: 'https://www.strava.com/oauth/token', client: 'body', body: 'form', rotates: true, answer },
  offline: 'always',
  // "Access tokens expire six hours after they are created"
  lifetime: 21600,
  errors: {
    invalid_refresh_token: {
      status: 400,
      body: { message: 'Bad Request', errors: [{ resource: 'RefreshToken', field: 'refresh_token', code: 'invalid' }] },
    },
  },
  revoke: {
    url: 'https://www.strava.com/oauth/revoke',
    method: 'POST',
    client: 'basic',
    body: 'form',
    params: { token_type_hint: { oneOf: ['access_token', 'refresh_token'], optional: true } },
    param: 'token',
    accepts: ['access', 'refresh'],
    answer: { status: 200, body: undefined },
  },
  api: [
    {
      method: 'GET',
      url: 'https://www.strava.com/api/v3/athlete',
      answer: ({ account }) => {
        const [firstname, lastname] = account.person.name.split(' ')
        return { status: 200, body: { id: Number(account.person.id), resource_state: 3, firstname, lastname } }
      },
    },
  ],
  unauthorized: {
    status: 401,
    body: { message: 'Authorization Error', errors: [{ resource: 'Athlete', field: 'access_token', code: 'invalid' }] },
  },
  accounts: people({ account: '1234567890987654' }, { account: '134815' }),
})
