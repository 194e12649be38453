import { tokens } from './answers.ts'
import { type Account, type Expectation, expectation1, type TokenCall } from './expectation.ts'

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

/** A provider nobody wrote an expectation for, as the RFCs alone would have it. */
export const strict = (provider: string, authorizeUrl: string, tokenUrl: string): Expectation => {
  const call: TokenCall = { url: tokenUrl, client: 'either', body: 'form', answer: issue => tokens(issue) }
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

/** The same for OAuth 1, by RFC 5849, which has no word for a refusal. */
export const strict1 = (provider: string, temporaryUrl: string, authorizeUrl: string, tokenUrl: string): Expectation =>
  expectation1({
    provider,
    documents: ['https://www.rfc-editor.org/rfc/rfc5849'],
    methods: ['GET', 'POST'],
    signatures: ['HMAC-SHA1', 'HMAC-SHA256', 'PLAINTEXT'],
    temporary: { url: temporaryUrl },
    authorize: { url: authorizeUrl, scopes: { params: ['scope'], separators: [' ', ','] } },
    declined: token => ({ denied: token }),
    token: { url: tokenUrl },
    api: [],
    unauthorized: { status: 401, body: 'invalid token' },
    accounts,
  })
