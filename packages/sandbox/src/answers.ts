/** What many providers answer alike, so that an expectation says what is its own. */
import type { Account, Answer, Issue } from './expectation.ts'

/**
 * A token answer by RFC 6749 §5.1. `more` is what a provider's documentation prints besides, or otherwise; what is
 * undefined there is not in the answer.
 */
export const tokens = (issue: Issue, more: Readonly<Record<string, unknown>> = {}): Answer => ({
  status: 200,
  body: {
    access_token: issue.accessToken,
    token_type: 'Bearer',
    expires_in: issue.expiresIn,
    refresh_token: issue.refreshToken,
    scope: issue.scopes.length > 0 ? issue.scopes.join(' ') : undefined,
    ...more,
  },
})

/** An error by RFC 6749 §5.2. */
export const refusal = (error: string, error_description?: string, status = 400): Answer => ({
  status,
  body: { error, error_description },
})

interface Ids {
  readonly account: string
  /** Left out where an account is its person's own. */
  readonly person?: string
}

const person = (id: string, name: string, email: string) => ({ id, name, email })

/** Ada at Acme and Grace at Globex, under ids that look like the provider's. */
export const people = (ada: Ids, grace: Ids): readonly Account[] => [
  { id: ada.account, name: 'Acme', person: person(ada.person ?? ada.account, 'Ada Lovelace', 'ada@acme.example') },
  {
    id: grace.account,
    name: 'Globex',
    person: person(grace.person ?? grace.account, 'Grace Hopper', 'grace@globex.example'),
  },
]
