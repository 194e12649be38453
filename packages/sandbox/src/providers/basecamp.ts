import { people, tokens } from '../answers.ts'
import { type Answer, expectation, type Issue } from '../expectation.ts'

const answer = (issue: Issue): Answer =>
  tokens(issue, {
    token_type: undefined,
    scope: undefined,
    refresh_token: issue.kind === 'code' ? issue.refreshToken : undefined,
  })

export default expectation({
  provider: 'basecamp',
  documents: ['https://github.com/basecamp/api/blob/master/sections/authentication.md'],
  authorize: {
    url: 'https://launchpad.37signals.com/authorization/new',
    query: { type: { is: 'web_server' } },
    responseType: false,
    pkce: 'ignored',
  },
  code: {
    url: 'https://launchpad.37signals.com/authorization/token',
    client: 'body',
    body: 'form',
    params: { type: { is: 'web_server' } },
    grantType: 'optional',
    answer,
  },
  refresh: {
    url: 'https://launchpad.37signals.com/authorization/token',
    client: 'body',
    body: 'form',
    params: { type: { is: 'refresh' } },
    grantType: 'optional',
    redirectUri: 'optional',
    rotates: false,
    answer,
  },
  offline: 'always',
  // "2 week lifetime, currently"
  lifetime: 1209600,
  api: [
    {
      method: 'GET',
      url: 'https://launchpad.37signals.com/authorization.json',
      answer: ({ account, now }) => {
        const [first_name, last_name] = account.person.name.split(' ')
        const id = Number(account.id)
        return {
          status: 200,
          body: {
            expires_at: new Date(now.getTime() + 1_209_600_000).toISOString(),
            identity: { id: Number(account.person.id), first_name, last_name, email_address: account.person.email },
            accounts: [
              {
                product: 'bc3',
                id,
                name: account.name,
                href: `https://3.basecampapi.com/${id}`,
                app_href: `https://3.basecamp.com/${id}`,
              },
            ],
          },
        }
      },
    },
  ],
  unauthorized: { status: 401, body: { error: 'OAuth token expired (old age)' } },
  accounts: people({ account: '99999999', person: '9999999' }, { account: '88888888', person: '8888888' }),
})
