/** Google's OAuth for web server applications, and the Drive API's about.get. */
import { type Answer, expectation, type Issue } from '../expectation.ts'

const tokens = (issue: Issue): Answer => ({
  status: 200,
  body: {
    access_token: issue.accessToken,
    expires_in: issue.expiresIn,
    token_type: 'Bearer',
    scope: issue.scopes.join(' '),
    // Only the code exchange of an offline request carries one; a refresh answer never does.
    ...(issue.kind === 'code' && issue.refreshToken !== undefined ? { refresh_token: issue.refreshToken } : {}),
  },
})

const refusal = (status: number, error: string, error_description: string): Answer => ({
  status,
  body: { error, error_description },
})

export default expectation({
  provider: 'google-drive',
  documents: [
    'https://developers.google.com/identity/protocols/oauth2/web-server',
    'https://developers.google.com/identity/protocols/oauth2',
    'https://developers.google.com/identity/openid-connect/reference',
    'https://developers.google.com/workspace/drive/api/reference/rest/v3/about/get',
  ],
  authorize: {
    url: 'https://accounts.google.com/o/oauth2/v2/auth',
    query: {
      access_type: { oneOf: ['online', 'offline'], optional: true },
      include_granted_scopes: { oneOf: ['true', 'false'], optional: true },
      enable_granular_consent: { oneOf: ['true', 'false'], optional: true },
      login_hint: 'optional',
      prompt: { oneOf: ['none', 'consent', 'select_account', 'consent select_account'], optional: true },
    },
    scopes: { params: ['scope'], separators: [' '], required: true },
    pkce: 'supported',
    // The discovery document speaks of RFC 9207, and redirects carry it.
    issuer: 'https://accounts.google.com',
  },
  code: {
    url: 'https://oauth2.googleapis.com/token',
    client: 'either',
    body: 'form',
    answer: tokens,
  },
  refresh: {
    url: 'https://oauth2.googleapis.com/token',
    client: 'either',
    body: 'form',
    rotates: false,
    // https://developers.google.com/identity/protocols/oauth2#expiration: six months without use, here the shortest six
    idleSeconds: 15638400,
    answer: tokens,
  },
  offline: query => query.get('access_type') === 'offline',
  // https://cloud.google.com/docs/authentication/token-types#access
  lifetime: 3600,
  errors: {
    invalid_client: refusal(401, 'invalid_client', 'Unauthorized'),
    invalid_request: refusal(400, 'invalid_request', 'Missing required parameter.'),
    invalid_code: refusal(400, 'invalid_grant', 'Malformed auth code.'),
    redirect_mismatch: refusal(400, 'redirect_uri_mismatch', 'Bad Request'),
    bad_verifier: refusal(400, 'invalid_grant', 'Invalid code verifier.'),
    invalid_refresh_token: refusal(400, 'invalid_grant', 'Token has been expired or revoked.'),
    unsupported_grant_type: refusal(400, 'unsupported_grant_type', 'Invalid grant_type'),
  },
  prefix: { access: 'ya29.', refresh: '1//', code: '4/0A' },
  revoke: {
    url: 'https://oauth2.googleapis.com/revoke',
    method: 'POST',
    client: 'none',
    body: 'form',
    param: 'token',
    accepts: ['access', 'refresh'],
    answer: { status: 200, body: {} },
  },
  api: [
    {
      method: 'GET',
      url: 'https://www.googleapis.com/drive/v3/about',
      answer: ({ account, query }) => {
        const fields = query.get('fields')
        if (!fields) return driveError(400, 'required', "The 'fields' parameter is required for this method.")
        const about = {
          kind: 'drive#about',
          user: {
            kind: 'drive#user',
            displayName: account.person.name,
            photoLink: 'https://lh3.googleusercontent.com/a/default-user=s64',
            me: true,
            permissionId: account.person.id,
            emailAddress: account.person.email,
          },
        }
        const asked = new Set(fields.split(',').map(field => field.trim()))
        const body = Object.fromEntries(Object.entries(about).filter(([key]) => asked.has('*') || asked.has(key)))
        return { status: 200, body }
      },
    },
  ],
  unplayed: 'https://www.googleapis.com/drive/v3',
  unauthorized: {
    status: 401,
    body: {
      error: {
        code: 401,
        message:
          'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.',
        errors: [
          {
            message: 'Invalid Credentials',
            domain: 'global',
            reason: 'authError',
            location: 'Authorization',
            locationType: 'header',
          },
        ],
        status: 'UNAUTHENTICATED',
      },
    },
  },
  // A Drive belongs to a person, so the account is the person.
  accounts: [
    {
      id: '08426531790246813579',
      name: 'ada@acme.example',
      person: { id: '08426531790246813579', name: 'Ada Lovelace', email: 'ada@acme.example' },
    },
    {
      id: '13579086420975318642',
      name: 'grace@globex.example',
      person: { id: '13579086420975318642', name: 'Grace Hopper', email: 'grace@globex.example' },
    },
  ],
})

/** https://developers.google.com/workspace/drive/api/guides/handle-errors */
function driveError(code: number, reason: string, message: string): Answer {
  return { status: code, body: { error: { code, message, errors: [{ domain: 'global', reason, message }] } } }
}
