import { people, tokens } from '../answers.ts'
import { type Account, type Answer, expectation, type Issue } from '../expectation.ts'

const info = (account: Account) => ({
  name: account.person.name,
  email: account.person.email,
  uuid: account.person.id,
  team_uuid: account.id,
  team_name: account.name,
})

const answer = (issue: Issue): Answer => tokens(issue, { token_type: 'bearer', info: info(issue.account) })

export default expectation({
  provider: 'digitalocean',
  name: 'DigitalOcean',
  documents: [
    'https://docs.digitalocean.com/reference/api/oauth/',
    'https://docs.digitalocean.com/reference/api/reference/account/',
  ],
  authorize: {
    url: 'https://cloud.digitalocean.com/v1/oauth/authorize',
    query: { prompt: 'optional' },
    scopes: { params: ['scope'], separators: [' '] },
    pkce: 'ignored',
  },
  code: { url: 'https://cloud.digitalocean.com/v1/oauth/token', client: 'body', body: 'form', answer },
  refresh: {
    url: 'https://cloud.digitalocean.com/v1/oauth/token',
    client: 'body',
    body: 'form',
    redirectUri: 'optional',
    rotates: true,
    answer,
  },
  offline: 'always',
  // "expires_in": 2592000
  lifetime: 2592000,
  prefix: { access: 'doo_v1_', refresh: 'dor_v1_' },
  revoke: {
    url: 'https://cloud.digitalocean.com/v1/oauth/revoke',
    method: 'POST',
    client: 'bearer',
    body: 'form',
    param: 'token',
    accepts: ['access'],
    answer: { status: 200, body: {} },
  },
  api: [
    {
      method: 'GET',
      url: 'https://api.digitalocean.com/v2/account',
      answer: ({ account }) => ({
        status: 200,
        body: {
          account: {
            droplet_limit: 25,
            floating_ip_limit: 5,
            name: account.person.name,
            email: account.person.email,
            uuid: account.person.id,
            email_verified: true,
            status: 'active',
            status_message: ' ',
            team: { uuid: account.id, name: account.name },
          },
        },
      }),
    },
  ],
  unauthorized: { status: 401, body: { id: 'unauthorized', message: 'Unable to authenticate you.' } },
  accounts: people(
    { account: '5df3e3004a17e242b7c20ca6c9fc25b701a47ece', person: 'b6fr89dbf6d9156cace5f3c78dc9851d957381ef' },
    { account: '9d1f0c8b7a6e5d4c3b2a190817263544f5e6d7c8', person: 'c7a0b1c2d3e4f5061728394a5b6c7d8e9f0a1b2c' },
  ),
})
