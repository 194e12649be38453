import type { Account, Answer, Expectation, Issue, TokenCall } from './expectation.ts'

const accounts: readonly Account[] = [
  {
    id: 'harbour-supplies',
    name: 'Harbour Supplies',
    person: { id: 'person-ines', name: 'Ines Vidal', email: 'ines@harbour.example' },
  },
  {
    id: 'lantern-books',
    name: 'Lantern Books',
    person: { id: 'person-tomasz', name: 'Tomasz Reed', email: 'tomasz@lantern.example' },
  },
]

/** https://www.rfc-editor.org/rfc/rfc6749#section-5.1 */
const answer = (issue: Issue): Answer => ({
  status: 200,
  body: {
    access_token: issue.accessToken,
    token_type: 'Bearer',
    expires_in: issue.expiresIn,
    refresh_token: issue.refreshToken,
    scope: issue.scopes.length > 0 ? issue.scopes.join(' ') : undefined,
  },
})

/** A provider nobody wrote an expectation for, as the RFCs alone would have it. */
export const strict = (provider: string, authorizeUrl: string, tokenUrl: string): Expectation => {
  const call: TokenCall = { url: tokenUrl, client: 'either', body: 'form', answer }
  return {
    provider,
    documents: [
      'https://www.rfc-editor.org/rfc/rfc6749',
      'https://www.rfc-editor.org/rfc/rfc7636',
      'https://www.rfc-editor.org/rfc/rfc9700',
    ],
    authorize: { url: authorizeUrl, scopes: { params: ['scope'], separators: [' '] }, pkce: 'supported' },
    code: call,
    refresh: { ...call, rotates: true, reuseRevokes: true },
    offline: 'always',
    lifetime: 3600,
    api: [],
    unauthorized: {
      status: 401,
      body: { error: 'invalid_token' },
      headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
    },
    accounts,
  }
}
