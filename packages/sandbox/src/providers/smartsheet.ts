import { people, tokens } from '../answers.ts'
import { type Answer, expectation, type Issue } from '../expectation.ts'

const answer = (issue: Issue): Answer => tokens(issue, { token_type: 'bearer', scope: undefined })

export default expectation({
  provider: 'smartsheet',
  documents: [
    'https://developers.smartsheet.com/api/smartsheet/guides/advanced-topics/oauth',
    'https://developers.smartsheet.com/api/smartsheet/openapi/tokens/tokens-getorrefresh',
    'https://developers.smartsheet.com/api/smartsheet/openapi/tokens/tokens-delete',
    'https://developers.smartsheet.com/api/smartsheet/openapi/users/get-current-user',
  ],
  authorize: {
    url: 'https://app.smartsheet.com/b/authorize',
    scopes: { params: ['scope'], separators: [' '], required: true },
    pkce: 'ignored',
  },
  code: {
    url: 'https://api.smartsheet.com/2.0/token',
    client: 'body',
    body: 'form',
    // "redirect_url: Deprecated."
    redirectUri: 'ignored',
    answer,
  },
  refresh: { url: 'https://api.smartsheet.com/2.0/token', client: 'body', body: 'form', rotates: true, answer },
  offline: 'always',
  // "expires_in": 604799
  lifetime: 604799,
  revoke: {
    url: 'https://api.smartsheet.com/2.0/token',
    method: 'DELETE',
    client: 'bearer',
    body: 'form',
    params: { deleteAllForApiClient: 'optional' },
    accepts: ['access'],
    answer: { status: 200, body: { resultCode: 0, message: 'SUCCESS' } },
  },
  api: [
    {
      method: 'GET',
      url: 'https://api.smartsheet.com/2.0/users/me',
      answer: ({ account }) => {
        const [firstName, lastName] = account.person.name.split(' ')
        return {
          status: 200,
          body: {
            id: Number(account.person.id),
            email: account.person.email,
            firstName,
            lastName,
            locale: 'en_US',
            timeZone: 'US/Pacific',
            account: { id: Number(account.id), name: account.name },
            admin: true,
            licensedSheetCreator: true,
            groupAdmin: true,
            resourceViewer: true,
          },
        }
      },
    },
  ],
  unauthorized: {
    status: 401,
    body: { errorCode: 1002, message: 'Your Access Token is invalid.', refId: '1tylh3eqsj3wz' },
  },
  accounts: people(
    { account: '942695073015684', person: '48569348493401' },
    { account: '853706184126795', person: '59670459504512' },
  ),
})
