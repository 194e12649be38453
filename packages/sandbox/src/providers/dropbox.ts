import { people, tokens } from '../answers.ts'
import { type Answer, expectation, type Issue } from '../expectation.ts'

const first = (issue: Issue): Answer =>
  tokens(issue, {
    token_type: 'bearer',
    scope: 'account_info.read files.content.read',
    uid: '12345',
    account_id: issue.account.person.id,
  })

/** A refresh answers these three alone. */
const later = (issue: Issue): Answer => ({
  status: 200,
  body: { access_token: issue.accessToken, token_type: 'bearer', expires_in: issue.expiresIn },
})

export default expectation({
  provider: 'dropbox',
  documents: [
    'https://www.dropbox.com/developers/documentation/http/documentation#oauth2-authorize',
    'https://www.dropbox.com/developers/documentation/http/documentation#oauth2-token',
    'https://www.dropbox.com/developers/documentation/http/documentation#auth-token-revoke',
    'https://www.dropbox.com/developers/documentation/http/documentation#users-get_current_account',
  ],
  authorize: {
    url: 'https://www.dropbox.com/oauth2/authorize',
    query: {
      token_access_type: { oneOf: ['offline', 'online'], optional: true },
      force_reapprove: 'optional',
      include_granted_scopes: 'optional',
    },
    scopes: { params: ['scope'], separators: [' '] },
    pkce: 'supported',
  },
  code: { url: 'https://api.dropboxapi.com/oauth2/token', client: 'either', body: 'form', answer: first },
  refresh: {
    url: 'https://api.dropboxapi.com/oauth2/token',
    client: 'either',
    body: 'form',
    rotates: false,
    answer: later,
  },
  offline: query => query.get('token_access_type') === 'offline',
  // "expires_in": 14400
  lifetime: 14400,
  prefix: { access: 'sl.' },
  revoke: {
    url: 'https://api.dropboxapi.com/2/auth/token/revoke',
    method: 'POST',
    client: 'bearer',
    body: 'json',
    accepts: ['access'],
    answer: { status: 200, body: null },
  },
  api: [
    {
      method: 'POST',
      url: 'https://api.dropboxapi.com/2/users/get_current_account',
      answer: ({ account }) => {
        const [given_name = '', surname = ''] = account.person.name.split(' ')
        return {
          status: 200,
          body: {
            account_id: account.person.id,
            name: {
              given_name,
              surname,
              familiar_name: given_name,
              display_name: account.person.name,
              abbreviated_name: `${given_name.charAt(0)}${surname.charAt(0)}`,
            },
            email: account.person.email,
            email_verified: true,
            disabled: false,
            locale: 'en',
            referral_link: 'https://db.tt/ZITNuhtI',
            is_paired: false,
            account_type: { '.tag': 'basic' },
            root_info: { '.tag': 'user', root_namespace_id: '3235641', home_namespace_id: '3235641' },
            country: 'US',
          },
        }
      },
    },
  ],
  unauthorized: {
    status: 401,
    body: { error_summary: 'expired_access_token/', error: { '.tag': 'expired_access_token' } },
  },
  accounts: people(
    { account: 'dbid:AAH4f99T0taONIb-OurWxbNQ6ywGRopQngc' },
    { account: 'dbid:AAAdTp2hXQ3VtG5kYmB7cZ9eLrJ1oWq8uIs' },
  ),
})
