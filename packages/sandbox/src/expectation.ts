/**
 * An expectation: what a provider really asks and answers, written from its own documentation and kept apart from our
 * definition of it (`providers/*.yaml`), so that a definition is never its own witness. The sandbox plays the provider
 * from this, strictly: what the documentation does not allow is refused the way the documentation says.
 */

/** What the sandbox knows while it composes an answer. Samples in the documentation give way to these. */
export interface Issue {
  /**
   * The new access token, the refresh token that is good from now on (absent where none is issued; a refresh that does
   * not rotate: the one presented) and the scopes granted.
   */
  readonly accessToken: string
  readonly refreshToken?: string
  readonly scopes: readonly string[]
  /** The parameters of the authorize request that carried them: Slack has two. */
  readonly scopesIn: readonly string[]
  /** Seconds the access token lives; undefined where it does not expire. */
  readonly expiresIn: number | undefined
  readonly account: Account
  /** Host that the request came to (`acme.zendesk.com`), and the client id. */
  readonly host: string
  readonly clientId: string
  /** The time, as a Date. */
  readonly now: Date
  readonly kind: 'code' | 'refresh'
}

/** Someone who can be picked on the authorize page. `id` is the workspace or account; `person` the one who authorises. */
export interface Account {
  readonly id: string
  readonly name: string
  readonly person: { readonly id: string; readonly name: string; readonly email: string }
}

export interface Answer {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** `'required'` any value, `'optional'` any value or none, otherwise exactly this literal (or one of these). */
export type Expect =
  | 'required'
  | 'optional'
  | { readonly is: string }
  | { readonly oneOf: readonly string[]; readonly optional?: true }

export interface TokenCall {
  /** `https://host/path`; `{name}` in the host stands for one DNS label, in the path for one segment. */
  readonly url: string
  /** How the documentation says the client authenticates; `either` where it allows both. */
  readonly client: 'basic' | 'body' | 'either'
  readonly body: 'form' | 'json' | 'either'
  /** Header values that must be sent, e.g. `{ 'notion-version': 'required' }` (lower-case names). */
  readonly headers?: Readonly<Record<string, Expect>>
  /** Body parameters besides grant_type, code/refresh_token, redirect_uri, code_verifier and the client's own. */
  readonly params?: Readonly<Record<string, Expect>>
  /** false where the documentation has no grant_type (Shopify, GitHub's code exchange); default true (required). */
  readonly grantType?: false | 'optional'
  /** code exchange: must redirect_uri be sent? `ignored` where the documentation does not name it. Default `required`. */
  readonly redirectUri?: 'required' | 'optional' | 'ignored'
  /** The success answer, key by key as the documentation prints it. */
  readonly answer: (issue: Issue) => Answer
}

/** Why a token call is refused, in our words; `errors` says how this provider would put it. */
export type Refusal =
  | 'invalid_client' // unknown client, wrong secret, or authenticated the wrong way
  | 'invalid_request' // a parameter missing, malformed, or in a body of the wrong kind
  | 'invalid_code' // unknown, expired or already used code
  | 'redirect_mismatch' // redirect_uri differs from the authorize request's
  | 'bad_verifier' // PKCE (RFC 7636 §4.6)
  | 'invalid_refresh_token' // unknown, revoked, expired or already rotated
  | 'unsupported_grant_type'

export interface Expectation {
  /** The provider's id: the same as the definition's file name. */
  readonly provider: string
  /** What its pages are headed with, where that is not the id in capitals. */
  readonly name?: string
  /** The provider's own pages this was written from. */
  readonly documents: readonly string[]
  readonly authorize: {
    /** As in `TokenCall.url`. */
    readonly url: string
    /** Query parameters besides client_id, redirect_uri, state, PKCE's two and the scopes. */
    readonly query?: Readonly<Record<string, Expect>>
    /** Where the documentation has no response_type: false. Default: it must be `code`. */
    readonly responseType?: false
    /** The parameters that may carry scopes and what separates them (`oneOf` of several separators allowed). */
    readonly scopes?: {
      readonly params: readonly string[]
      readonly separators: readonly string[]
      readonly required?: boolean
      readonly known?: readonly string[]
    }
    /** required: refused without. supported: checked when sent. ignored: sent or not, nothing is checked. refused: an error when sent. */
    readonly pkce: 'required' | 'supported' | 'ignored' | 'refused'
    /** Sent back as `iss` with the answer (RFC 9207), where the provider does so. */
    readonly issuer?: string
    /** Further parameters of the redirect back, e.g. Shopify's shop. */
    readonly back?: (context: {
      readonly host: string
      readonly account: Account
      readonly code: string
      readonly state: string
      readonly clientSecret: string
      readonly now: Date
    }) => Record<string, string>
  }
  /** code: the exchange. refresh: the renewal; absent where the provider issues no refresh token. */
  readonly code: TokenCall
  readonly refresh?: TokenCall & {
    /** Each use spends the old refresh token. */
    readonly rotates: boolean
    /** Reusing a spent refresh token revokes the whole grant (RFC 9700 §4.14.2). */
    readonly reuseRevokes?: boolean
    /** Seconds for which a spent refresh token is still accepted, where the documentation states a grace window. */
    readonly graceSeconds?: number
    /** That window also ends when a refresh token that replaced it is first used. */
    readonly graceUntilUsed?: boolean
    /** Seconds after which a refresh token that was not used is dead, counted from its issue or, where it stays, its last use. */
    readonly idleSeconds?: number
    /** How many access tokens of a grant may be alive after a refresh: the oldest beyond it are revoked. Default: all. */
    readonly accessTokens?: number
  }
  /** When a refresh token is issued: always, never, or only if this holds of the authorize query and granted scopes. */
  readonly offline: 'always' | 'never' | ((authorizeQuery: URLSearchParams, scopes: readonly string[]) => boolean)
  /** Seconds an access token lives (the documentation's figure), undefined where it does not expire. */
  readonly lifetime: number | undefined
  /** How each refusal looks here. What is not named is answered as RFC 6749 §5.2 says. */
  readonly errors?: Partial<Readonly<Record<Refusal, Answer>>>
  /** Prefixes of the tokens, so that they look like the real ones ('gho_', 'xoxp-'). */
  readonly prefix?: { readonly access?: string; readonly refresh?: string; readonly code?: string }
  readonly revoke?: {
    readonly url: string
    readonly method: string
    /** `id`: client_id alone, without the secret. `bearer`: the access token authenticates the call. */
    readonly client: 'basic' | 'body' | 'either' | 'id' | 'bearer' | 'none'
    readonly body: 'form' | 'json' | 'either'
    /** Further parameters of the body. */
    readonly params?: Readonly<Record<string, Expect>>
    /** Body (or for `query`, query) parameter carrying the token; `access`/`refresh`: which tokens are accepted there. */
    readonly param?: string
    readonly accepts: readonly ('access' | 'refresh')[]
    readonly answer: Answer
  }
  /** RFC 7662, where the provider documents it. A token that is not alive, or another client's, is not active (§2.2). */
  readonly introspect?: {
    readonly url: string
    readonly client: 'basic' | 'body' | 'either'
    /** The answer about a token that is active. */
    readonly answer: (token: Introspected) => Answer
  }
  /** API calls that answer who it is (and Notion's small API), only to a live token. */
  readonly api: readonly ApiCall[]
  /**
   * Where its API begins, as in `TokenCall.url`. While the switch `record` is on, a call below it that is not played is
   * recorded and answered 200 and {}, to a live token; without it such a call is refused.
   */
  readonly unplayed?: string
  /** Answer of an API call without a live token. */
  readonly unauthorized: Answer
  /** How the access token is sent to the API. Default: `authorization: Bearer`. */
  readonly credential?: { readonly header: string; readonly prefix: string }
  /** At least two people in at least two workspaces, so that a test can tell them apart. */
  readonly accounts: readonly Account[]
  /** Played by RFC 5849, and not by RFC 6749: see `expectation1`. */
  readonly oauth1?: OAuth1Rules
}

export interface OAuth1Rules {
  /** Where temporary credentials are asked for; as in `TokenCall.url`. */
  readonly temporary: string
  /** Of that call and the token's. */
  readonly methods: readonly ('GET' | 'POST')[]
  /** `HMAC-SHA1`, `HMAC-SHA256`, `PLAINTEXT`. */
  readonly signatures: readonly string[]
  /** What is added to the callback where somebody declined. */
  readonly declined: (token: string) => Readonly<Record<string, string>>
  /** What the token answer holds besides token and secret. */
  readonly more?: (account: Account) => Readonly<Record<string, string>>
}

/** What is expected of a provider of OAuth 1.0a. */
export interface Expectation1
  extends Omit<OAuth1Rules, 'temporary'>,
    Pick<Expectation, 'provider' | 'documents' | 'api' | 'unauthorized' | 'accounts' | 'errors' | 'prefix'> {
  readonly temporary: { readonly url: string }
  readonly authorize: Pick<Expectation['authorize'], 'url' | 'query' | 'scopes'>
  readonly token: { readonly url: string }
}

/** An active token that somebody asked about. */
export interface Introspected {
  readonly kind: 'access' | 'refresh'
  readonly clientId: string
  readonly account: Account
  readonly scopes: readonly string[]
  /** Of an access token that expires. */
  readonly issuedAt?: Date
  readonly expiresAt?: Date
}

export interface ApiRequest {
  readonly host: string
  /** What `{name}` in the URL matched. */
  readonly path: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Parsed JSON body, or undefined. */
  readonly body: unknown
  readonly account: Account
  readonly scopes: readonly string[]
  readonly clientId: string
  readonly now: Date
}

export interface ApiCall {
  readonly method: string
  readonly url: string
  readonly headers?: Readonly<Record<string, Expect>>
  readonly answer: (request: ApiRequest) => Answer
}

/** Names the type where an expectation is written. */
export const expectation = (e: Expectation): Expectation => e

/** The same for OAuth 1.0a: what only OAuth 2 has is filled in, and never looked at. */
export const expectation1 = (e: Expectation1): Expectation => {
  const { methods, signatures, declined, more, temporary, authorize, token, ...shared } = e
  return {
    ...shared,
    authorize: { ...authorize, pkce: 'ignored' },
    code: {
      url: token.url,
      client: 'either',
      body: 'form',
      answer: () => {
        throw new Error('a token answer of OAuth 2, of a provider of OAuth 1')
      },
    },
    offline: 'never',
    lifetime: undefined,
    oauth1: { temporary: temporary.url, methods, signatures, declined, ...(more ? { more } : {}) },
  }
}
