import { type Answer, expectation, type Issue } from '../expectation.ts'

// The documentation's sample has no scope: what was asked for was granted (RFC 6749 §5.1).
const answer = (issue: Issue): Answer => ({
  status: 200,
  body: {
    access_token: issue.accessToken,
    token_type: 'bearer',
    expires_in: issue.expiresIn,
    refresh_token: issue.refreshToken,
    created_at: Math.floor(issue.now.getTime() / 1000),
  },
})

export default expectation({
  provider: 'gitlab',
  name: 'GitLab',
  documents: [
    'https://docs.gitlab.com/api/oauth2/',
    'https://docs.gitlab.com/api/users/#retrieve-the-current-user',
    'https://docs.gitlab.com/api/rest/authentication/',
  ],
  authorize: {
    url: 'https://gitlab.com/oauth/authorize',
    query: { root_namespace_id: 'optional' },
    scopes: { params: ['scope'], separators: [' '] },
    pkce: 'supported',
  },
  code: {
    url: 'https://gitlab.com/oauth/token',
    client: 'body',
    body: 'form',
    answer,
  },
  refresh: {
    url: 'https://gitlab.com/oauth/token',
    client: 'body',
    body: 'form',
    // The sample request carries it; RFC 6749 §6 does not.
    redirectUri: 'optional',
    rotates: true,
    // https://docs.gitlab.com/api/oauth2/#authorization-code-flow: it "invalidates the existing access_token and refresh_token"
    accessTokens: 1,
    answer,
  },
  offline: 'always',
  lifetime: 7200,
  revoke: {
    url: 'https://gitlab.com/oauth/revoke',
    method: 'POST',
    client: 'body',
    body: 'form',
    param: 'token',
    accepts: ['access', 'refresh'],
    answer: { status: 200, body: {} },
  },
  api: [
    {
      method: 'GET',
      url: 'https://gitlab.com/api/v4/user',
      answer: ({ account, now }) => {
        const { person } = account
        const at = now.toISOString()
        return {
          status: 200,
          body: {
            id: Number(person.id),
            username: account.name,
            email: person.email,
            name: person.name,
            state: 'active',
            locked: false,
            avatar_url: `https://gitlab.com/uploads/-/system/user/avatar/${person.id}/avatar.png`,
            web_url: `https://gitlab.com/${account.name}`,
            created_at: '2012-05-23T08:00:58Z',
            bio: '',
            location: null,
            public_email: person.email,
            linkedin: '',
            twitter: '',
            discord: '',
            website_url: '',
            organization: '',
            job_title: '',
            pronouns: '',
            bot: false,
            work_information: null,
            followers: 0,
            following: 0,
            local_time: '3:38 PM',
            last_sign_in_at: at,
            confirmed_at: '2012-05-23T09:05:22Z',
            theme_id: 1,
            last_activity_on: at.slice(0, 10),
            color_scheme_id: 2,
            projects_limit: 100,
            current_sign_in_at: at,
            identities: [{ provider: 'github', extern_uid: '2435223452345' }],
            can_create_group: true,
            can_create_project: true,
            two_factor_enabled: true,
            external: false,
            private_profile: false,
            commit_email: person.email,
          },
        }
      },
    },
  ],
  unauthorized: { status: 401, body: { message: '401 Unauthorized' } },
  // A GitLab account is its person's own; its name is the user name.
  accounts: [
    { id: '1843', name: 'ada_byron', person: { id: '1843', name: 'Ada Byron', email: 'ada@acme.example' } },
    { id: '2906', name: 'grace_murray', person: { id: '2906', name: 'Grace Murray', email: 'grace@globex.example' } },
  ],
})
