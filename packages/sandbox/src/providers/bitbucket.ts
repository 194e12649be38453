import { people, tokens } from '../answers.ts'
import { type Answer, expectation, type Issue } from '../expectation.ts'

const answer = (issue: Issue): Answer =>
  tokens(issue, { scope: undefined, scopes: 'account repository', token_type: 'bearer' })

export default expectation({
  provider: 'bitbucket',
  documents: [
    'https://developer.atlassian.com/cloud/bitbucket/oauth-2/',
    'https://developer.atlassian.com/cloud/bitbucket/rest/api-group-users/#api-user-get',
  ],
  authorize: { url: 'https://bitbucket.org/site/oauth2/authorize', pkce: 'ignored' },
  code: {
    url: 'https://bitbucket.org/site/oauth2/access_token',
    client: 'either',
    body: 'form',
    redirectUri: 'optional',
    answer,
  },
  refresh: {
    url: 'https://bitbucket.org/site/oauth2/access_token',
    client: 'either',
    body: 'form',
    rotates: false,
    answer,
  },
  offline: 'always',
  lifetime: 7200,
  api: [
    {
      method: 'GET',
      url: 'https://api.bitbucket.org/2.0/user',
      answer: ({ account }) => ({
        status: 200,
        body: {
          type: 'user',
          uuid: account.person.id,
          account_id: `557058:${account.person.id.slice(1, -1)}`,
          username: account.person.email.split('@')[0],
          nickname: account.person.name,
          display_name: account.person.name,
          created_on: '2013-12-19T18:40:31.000000+00:00',
        },
      }),
    },
  ],
  unauthorized: {
    status: 401,
    body: {
      type: 'error',
      error: { message: 'Access token expired. Use your refresh token to obtain a new access token.' },
    },
  },
  accounts: people(
    { account: '{a54f16da-24e9-4d7f-a3a7-b1ba2cd98aa3}' },
    { account: '{c788b2da-b7a2-404c-9e26-d3f077557007}' },
  ),
})
