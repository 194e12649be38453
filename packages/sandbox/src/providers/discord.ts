import { people, tokens } from '../answers.ts'
import { expectation } from '../expectation.ts'

export default expectation({
  provider: 'discord',
  documents: [
    'https://discord.com/developers/docs/topics/oauth2',
    'https://discord.com/developers/docs/resources/user#get-current-user',
  ],
  authorize: {
    url: 'https://discord.com/oauth2/authorize',
    query: { prompt: { oneOf: ['consent', 'none'], optional: true }, integration_type: 'optional' },
    scopes: { params: ['scope'], separators: [' '], required: true },
    pkce: 'ignored',
  },
  code: { url: 'https://discord.com/api/oauth2/token', client: 'either', body: 'form', answer: tokens },
  refresh: {
    url: 'https://discord.com/api/oauth2/token',
    client: 'either',
    body: 'form',
    rotates: true,
    answer: tokens,
  },
  offline: 'always',
  // "expires_in": 604800
  lifetime: 604800,
  revoke: {
    url: 'https://discord.com/api/oauth2/token/revoke',
    method: 'POST',
    client: 'either',
    body: 'form',
    params: { token_type_hint: { oneOf: ['access_token', 'refresh_token'], optional: true } },
    param: 'token',
    accepts: ['access', 'refresh'],
    answer: { status: 200, body: {} },
  },
  api: [
    {
      method: 'GET',
      url: 'https://discord.com/api/v10/users/@me',
      answer: ({ account, scopes }) => ({
        status: 200,
        body: {
          id: account.person.id,
          username: account.person.email.split('@')[0],
          discriminator: '0',
          global_name: account.person.name,
          avatar: null,
          flags: 64,
          banner: null,
          accent_color: null,
          premium_type: 0,
          public_flags: 64,
          ...(scopes.includes('email') ? { verified: true, email: account.person.email } : {}),
        },
      }),
    },
  ],
  unauthorized: { status: 401, body: { message: '401: Unauthorized', code: 0 } },
  accounts: people({ account: '80351110224678912' }, { account: '290926798626357999' }),
})
