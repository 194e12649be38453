/** The hub's own API as types. Generated from openapi/mortise.json by `npm run openapi`. */

export type Action = {
  /** The operation id of the provider's own reference */
  readonly id: string
  /** Further names that it answers to */
  readonly aliases: readonly string[]
  /** What people call it */
  readonly title: string
  /** What it does, in a sentence */
  readonly description: string
  /** What it is about: pages, users */
  readonly resource: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** After the provider's apiBase; {name} stands for a parameter */
  readonly path: string
  /** The page of the provider's reference */
  readonly docs: string
  readonly parameters: readonly {
    readonly name: string
    readonly in: 'path' | 'query'
    readonly required: boolean
    readonly description: string
    /** JSON Schema */
    readonly schema: Readonly<Record<string, unknown>>
  }[]
  /** JSON Schema of the body; null where it takes none */
  readonly body: Readonly<Record<string, unknown>> | null
  /** Whether it is a list in pages, which can be walked */
  readonly paginated: boolean
}

export type ActionAnswer = {
  /** The provider's own */
  readonly status: number
  /** Names in lower case */
  readonly headers: Readonly<Record<string, string>>
  /** As JSON where it is JSON; the text otherwise */
  readonly body: unknown
  /** The provider's own word for what went wrong, where it tells so with a status that says that all went well; else null */
  readonly failure: string | null
}

export type ActionInput = {
  /** Values of the parameters in the path, by name */
  readonly path?: Readonly<Record<string, unknown>> | undefined
  /** Those in the query; a list is sent as the name again and again */
  readonly query?: Readonly<Record<string, unknown>> | undefined
  /** The body, as the action says */
  readonly body?: unknown
  /** Further headers; none that the hub sets itself */
  readonly headers?: Readonly<Record<string, unknown>> | undefined
}

export type ActionList = {
  readonly data: readonly Action[]
  /** The cursor of the next page; null after the last */
  readonly next: string | null
}

export type Attempt = {
  readonly status: 'pending' | 'connected' | 'failed' | 'expired'
  readonly integration: string
  /** What the provider was asked for */
  readonly scopes: readonly string[]
  /** Why it failed */
  readonly error: {
    readonly code: 'invalid_request' | 'unauthenticated' | 'forbidden' | 'not_found' | 'conflict' | 'rate_limited' | 'authorization_denied' | 'session_expired' | 'reauthorization_required' | 'integration_misconfigured' | 'provider_rejected' | 'provider_unavailable' | 'provider_invalid_response' | 'internal'
    readonly reason: string | null
    readonly message: string
  } | null
  readonly startedAt: string
  /** Until then the provider must send the browser back */
  readonly expiresAt: string
  /** When the browser came back from the provider */
  readonly returnedAt: string | null
}

export type AttemptList = {
  readonly data: readonly Attempt[]
  /** The cursor of the next page; null after the last */
  readonly next: string | null
}

export type Connection = {
  /** Unique in the environment */
  readonly id: string
  /** Your name for it, unique with the integration; the id, where you gave none */
  readonly connectionId: string
  readonly integration: string
  readonly provider: string
  /** oauth2 or oauth1, or the kind of key that was given */
  readonly kind: string
  readonly status: 'connected' | 'reauthorization_required'
  /** Why its end user must come back, where that is so */
  readonly statusReason: string | null
  /** What you call it, for people */
  readonly name: string | null
  /** Whose it is; null: the environment's own */
  readonly endUser: Person | null
  /** The account at the provider, where that says */
  readonly account: {
    readonly id: string
    readonly name: string | null
    readonly personId: string | null
    readonly personName: string | null
  } | null
  /** As granted; null where the provider does not say */
  readonly scopes: readonly string[] | null
  /** What was given for params, and what the flow keeps */
  readonly config: Readonly<Record<string, string>>
  /** What you find it by */
  readonly tags: Readonly<Record<string, string>>
  /** What you set */
  readonly metadata: Readonly<Record<string, unknown>>
  /** What the flow obtained */
  readonly facts: Readonly<Record<string, unknown>>
  /** Where you are told of this connection, if elsewhere */
  readonly webhookUrlOverride: string | null
  /** Whether there is a refresh token */
  readonly refreshable: boolean
  /** When the access token ends; it is renewed before */
  readonly expiresAt: string | null
  /** When the provider gave the credential */
  readonly obtainedAt: string
  /** When the provider last took it, by asking */
  readonly checkedAt: string | null
  readonly createdAt: string
  readonly updatedAt: string
}

export type ConnectionChange = {
  /** Whose it is from now on */
  readonly endUser?: string | {
    /** Your app's own name for it. One of that name is known from then on */
    readonly username: string
    readonly fullName?: string | undefined
    readonly email?: string | undefined
    readonly tags?: Readonly<Record<string, string>> | undefined
    readonly organization?: {
      readonly id: string
      readonly name?: string | undefined
    } | undefined
  } | undefined
  /** The whole new set; those of its end user stay */
  readonly tags?: Readonly<Record<string, string>> | undefined
  /** Where you are told of this connection; null: where you are told of all */
  readonly webhookUrlOverride?: string | null | undefined
}

export type ConnectionList = {
  readonly data: readonly Connection[]
  /** The cursor of the next page; null after the last */
  readonly next: string | null
}

/** Read it for each use and keep it nowhere: the hub renews it */
export type Credential = {
  readonly kind: 'oauth2'
  /** Works now: send it as the provider wants it, mostly as a Bearer token. Secret */
  readonly accessToken: string
  /** Only with `refreshToken=true`. Secret */
  readonly refreshToken: string | null
  readonly expiresAt: string | null
  /** The token answer of the provider, without its refresh token. Secret */
  readonly raw: Readonly<Record<string, unknown>>
} | {
  readonly kind: 'oauth1'
  /** Sign each request with it (RFC 5849). Secret */
  readonly token: string
  /** Goes with the token, into the signature only. Secret */
  readonly tokenSecret: string
} | {
  readonly kind: 'apiKey'
  /** As the end user gave it. Secret */
  readonly key: string
} | {
  readonly kind: 'bearer'
  /** As the end user gave it. Secret */
  readonly key: string
} | {
  readonly kind: 'basic'
  readonly username: string
  /** As the end user gave it. Secret */
  readonly password: string
}

export type Environment = {
  readonly name: string
  /** May stand in a page: starts flows, reads nothing */
  readonly publicKey: string
  /** Whether connect links that carry the public key need an HMAC */
  readonly hmacRequired: boolean
  /** URLs that a finished flow may return to, with any query */
  readonly allowedRedirects: readonly string[]
  /** Origins whose pages may call the browser routes */
  readonly allowedOrigins: readonly string[]
  /** What to register at each provider: the hub's callback */
  readonly redirectUri: string
  readonly createdAt: string
}

export type EnvironmentChange = {
  /** The whole new list */
  readonly allowedRedirects?: readonly string[] | undefined
  /** The whole new list */
  readonly allowedOrigins?: readonly string[] | undefined
}

export type EnvironmentLine = {
  readonly name: string
  readonly createdAt: string
}

export type EnvironmentList = {
  readonly data: readonly EnvironmentLine[]
  /** The cursor of the next page; null after the last */
  readonly next: string | null
}

export type ErrorAnswer = {
  readonly error: {
    /** What went wrong, as one of a fixed list */
    readonly code: 'invalid_request' | 'unauthenticated' | 'forbidden' | 'not_found' | 'conflict' | 'rate_limited' | 'authorization_denied' | 'session_expired' | 'reauthorization_required' | 'integration_misconfigured' | 'provider_rejected' | 'provider_unavailable' | 'provider_invalid_response' | 'internal'
    /** What is wrong, and who must do what. For people: it may change */
    readonly message: string
    /** A finer cause, where there is one */
    readonly reason?: string | undefined
    /** Who must act; us: the makers and the operator of the hub, whose log has the cause */
    readonly actor: 'caller' | 'end user' | 'operator' | 'provider' | 'us'
    /** The parameter or field at fault */
    readonly parameter?: string | undefined
    /** Also in the header x-request-id, and in the log of the hub */
    readonly requestId: string
  }
}

export type Integration = {
  /** The operator's name for it */
  readonly key: string
  readonly provider: string
  /** What end users read; null: the provider's name */
  readonly displayName: string | null
  /** How long the provider is waited for, and how much passes */
  readonly limits: {
    /** From the end of a request to the beginning of its answer; null: 60. Of an action the whole call; null: 20 */
    readonly firstByteSeconds: number | null
    /** Without a byte, of a body under way; null: 60 */
    readonly idleSeconds: number | null
    /** Of a request's body; null: as many as come */
    readonly requestBytes: number | null
    /** Of an answer's body, as it comes; null: as many as come. An action takes 10 MB at most */
    readonly answerBytes: number | null
  }
  readonly clientId: string
  /** What it asks for; a flow may only narrow it */
  readonly scopes: readonly string[]
  readonly settings: Readonly<Record<string, string>>
  /** Register this at the provider */
  readonly redirectUri: string
  /** Where redirectUri is your app's own: send the browser on to here, with the same query */
  readonly forwardTo: string | null
  /** Played by the sandbox of mortise dev */
  readonly sandbox: boolean
  readonly createdAt: string
  readonly updatedAt: string
}

export type IntegrationChange = {
  /** Another name; not while connections are found by the old one */
  readonly key?: string | undefined
  /** What end users read; null: the provider's name */
  readonly displayName?: string | null | undefined
  /** Those that are named change, null: to the usual one; the others stay */
  readonly limits?: {
    /** From the end of a request to the beginning of its answer; null: 60. Of an action the whole call; null: 20 */
    readonly firstByteSeconds?: number | null | undefined
    /** Without a byte, of a body under way; null: 60 */
    readonly idleSeconds?: number | null | undefined
    /** Of a request's body; null: as many as come */
    readonly requestBytes?: number | null | undefined
    /** Of an answer's body, as it comes; null: as many as come. An action takes 10 MB at most */
    readonly answerBytes?: number | null | undefined
  } | null | undefined
  readonly clientId?: string | undefined
  /** In place of the one before */
  readonly clientSecret?: string | undefined
  /** The whole new list; it holds for flows from now on */
  readonly scopes?: readonly string[] | undefined
}

export type IntegrationList = {
  readonly data: readonly Integration[]
  /** The cursor of the next page; null after the last */
  readonly next: string | null
}

export type Key = {
  readonly id: string
  readonly name: string
  /** The first characters of the key, to tell it from others */
  readonly begins: string
  readonly scopes: readonly ('connections:read' | 'credentials:read' | 'connections:write' | 'integrations:read' | 'integrations:write' | 'proxy' | 'connect:write' | 'admin')[]
  readonly createdAt: string
  readonly revokedAt: string | null
}

export type KeyList = {
  readonly data: readonly Key[]
  /** The cursor of the next page; null after the last */
  readonly next: string | null
}

export type MadeEnvironment = {
  readonly name: string
  readonly publicKey: string
  readonly createdAt: string
  /** Its first key, with your scopes but for admin */
  readonly key: MadeKey
}

export type MadeKey = {
  readonly id: string
  readonly name: string
  /** The first characters of the key, to tell it from others */
  readonly begins: string
  readonly scopes: readonly ('connections:read' | 'credentials:read' | 'connections:write' | 'integrations:read' | 'integrations:write' | 'proxy' | 'connect:write' | 'admin')[]
  readonly createdAt: string
  readonly revokedAt: string | null
  /** The key itself. It is shown this once */
  readonly secret: string
}

export type MadeSession = {
  readonly id: string
  readonly status: 'pending' | 'connected' | 'failed' | 'expired'
  /** Whether a browser has opened it */
  readonly opened: boolean
  /** null where the end user chooses */
  readonly integration: string | null
  /** The id of the end user; the environment's own has one too */
  readonly endUser: string
  /** The id of the connection, once there is one */
  readonly connection: string | null
  /** Why it failed */
  readonly error: {
    readonly code: 'invalid_request' | 'unauthenticated' | 'forbidden' | 'not_found' | 'conflict' | 'rate_limited' | 'authorization_denied' | 'session_expired' | 'reauthorization_required' | 'integration_misconfigured' | 'provider_rejected' | 'provider_unavailable' | 'provider_invalid_response' | 'internal'
    readonly reason: string | null
    readonly message: string
  } | null
  readonly createdAt: string
  /** Until then it can be opened and finished */
  readonly expiresAt: string
  readonly finishedAt: string | null
  /** For the browser SDK: `connect({session: token})`; of a session with `integrations`, what the page behind `link` is given. It is shown this once */
  readonly token: string
  /** For the browser of the end user; null where a page opens it */
  readonly link: string | null
}

/** Any JSON object */
export type Metadata = Readonly<Record<string, unknown>>

export type NewConnection = {
  /** The key of an integration, or its provider if there is one only */
  readonly integration: string
  readonly credential: {
    readonly kind: 'oauth2'
    /** As the provider gave it */
    readonly accessToken: string
    /** From now on the hub alone may use it */
    readonly refreshToken?: string | undefined
    /** When the access token ends */
    readonly expiresAt?: string | undefined
    readonly scopes?: readonly string[] | undefined
    /** The token answer that they came in, where you have it */
    readonly raw?: Readonly<Record<string, unknown>> | undefined
  } | {
    readonly kind: 'oauth1'
    readonly token: string
    readonly tokenSecret: string
  } | {
    readonly kind: 'apiKey' | 'bearer'
    readonly key: string
  } | {
    readonly kind: 'basic'
    readonly username: string
    readonly password: string
  }
  /** Your name for it. One of that name gets this credential */
  readonly connectionId?: string | undefined
  /** What you call it, for people */
  readonly name?: string | undefined
  /** Whose it is; left out: the environment's own */
  readonly endUser?: string | {
    /** Your app's own name for it. One of that name is known from then on */
    readonly username: string
    readonly fullName?: string | undefined
    readonly email?: string | undefined
    readonly tags?: Readonly<Record<string, string>> | undefined
    readonly organization?: {
      readonly id: string
      readonly name?: string | undefined
    } | undefined
  } | undefined
  /** What the provider asks for, like a subdomain */
  readonly params?: Readonly<Record<string, string>> | undefined
  /** Make a second connection where the same account is connected already */
  readonly allowDuplicate?: boolean | undefined
  readonly metadata?: Readonly<Record<string, unknown>> | undefined
  readonly tags?: Readonly<Record<string, string>> | undefined
  readonly webhookUrlOverride?: string | undefined
}

export type NewEnvironment = {
  /** Up to 40 lower-case letters, digits and hyphens */
  readonly name: string
}

export type NewIntegration = {
  /** Your name for it: up to 100 letters, digits and . _ ~ - */
  readonly key: string
  /** The id of a provider; the key, if it is left out */
  readonly provider?: string | undefined
  /** What end users read; the provider's name, if it is left out */
  readonly displayName?: string | undefined
  /** Those that are not to be the usual ones */
  readonly limits?: {
    /** From the end of a request to the beginning of its answer; null: 60. Of an action the whole call; null: 20 */
    readonly firstByteSeconds?: number | null | undefined
    /** Without a byte, of a body under way; null: 60 */
    readonly idleSeconds?: number | null | undefined
    /** Of a request's body; null: as many as come */
    readonly requestBytes?: number | null | undefined
    /** Of an answer's body, as it comes; null: as many as come. An action takes 10 MB at most */
    readonly answerBytes?: number | null | undefined
  } | undefined
  /** As the provider shows it for your app */
  readonly clientId?: string | undefined
  /** Sealed when it arrives, and never shown */
  readonly clientSecret?: string | undefined
  /** Left out: the definition's default */
  readonly scopes?: readonly string[] | undefined
  /** What the definition asks of the operator */
  readonly settings?: Readonly<Record<string, string>> | undefined
  /** Your app's own callback, where the provider has that registered */
  readonly redirectUri?: string | undefined
  /** Played by the sandbox from the next start of mortise dev on; needs no client */
  readonly sandbox?: boolean | undefined
}

export type NewKey = {
  /** 1 to 100 characters, so that you can tell it from others */
  readonly name: string
  /** What it may do: at most what your key may. Left out: all of that, but for admin */
  readonly scopes?: readonly ('connections:read' | 'credentials:read' | 'connections:write' | 'integrations:read' | 'integrations:write' | 'proxy' | 'connect:write' | 'admin')[] | undefined
}

export type NewSession = {
  /** The key of an integration, or its provider if there is one only; needed unless `integrations` or `connection` is given */
  readonly integration?: string | undefined
  /** The end user picks among these on the page behind `link`, and may connect each of them. With `endUser` alone */
  readonly integrations?: readonly string[] | undefined
  /** The id of a connection to connect again; it keeps its id, whatever account is picked */
  readonly connection?: string | undefined
  /** Whose the connection will be: a username or an id of one that is known; or an object with what you tell of one, who is made if need be. Left out: the environment's own */
  readonly endUser?: string | {
    /** Your app's own name for it. One of that name is known from then on */
    readonly username: string
    readonly fullName?: string | undefined
    readonly email?: string | undefined
    readonly tags?: Readonly<Record<string, string>> | undefined
    readonly organization?: {
      readonly id: string
      readonly name?: string | undefined
    } | undefined
  } | undefined
  /** page: the browser SDK opens it with the token. link: the end user opens the link. page unless told */
  readonly opens?: 'page' | 'link' | undefined
  /** Where the browser goes at the end. Left out: a page of the hub tells */
  readonly returnTo?: string | undefined
  /** Make a second connection where the same account is connected already */
  readonly allowDuplicate?: boolean | undefined
  /** What the provider asks for, like a subdomain */
  readonly params?: Readonly<Record<string, string>> | undefined
  /** What the connection is to be called, for people */
  readonly name?: string | undefined
}

export type Person = {
  /** Of the hub */
  readonly id: string
  /** Your app's own name for it */
  readonly username: string
  readonly fullName: string | null
  readonly email: string | null
  readonly tags: Readonly<Record<string, string>>
  readonly organization: {
    readonly id: string
    readonly name: string | null
  } | null
}

export type Provider = {
  readonly id: string
  readonly name: string
  readonly categories: readonly string[]
  /** How an account is connected: oauth2 or oauth1 */
  readonly auth: string
  /** The kinds of credential that it takes: by a flow (oauth2), or given as they are */
  readonly kinds: readonly string[]
  /** Whether it issues refresh tokens */
  readonly refreshes: boolean
  /** What a new integration asks for unless told otherwise */
  readonly scopes: readonly string[]
  /** Asked of who begins a flow */
  readonly params: Readonly<Record<string, {
    /** What a person calls it */
    readonly title: string
    readonly kind: 'label' | 'segment' | 'host'
    readonly required: boolean
    readonly default: string | null
    readonly example: string | null
  }>>
  /** Asked of who adds an integration */
  readonly settings: Readonly<Record<string, {
    /** What a person calls it */
    readonly title: string
    readonly kind: 'label' | 'segment' | 'host'
    readonly required: boolean
    readonly default: string | null
    readonly example: string | null
  }>>
  /** Where paths of its API begin; may hold ${config.x} */
  readonly apiBase: string
  /** The provider's own pages that the definition was written from */
  readonly docs: readonly string[]
}

export type ProviderList = {
  readonly data: readonly Provider[]
  /** The cursor of the next page; null after the last */
  readonly next: string | null
}

export type Session = {
  readonly id: string
  readonly status: 'pending' | 'connected' | 'failed' | 'expired'
  /** Whether a browser has opened it */
  readonly opened: boolean
  /** null where the end user chooses */
  readonly integration: string | null
  /** The id of the end user; the environment's own has one too */
  readonly endUser: string
  /** The id of the connection, once there is one */
  readonly connection: string | null
  /** Why it failed */
  readonly error: {
    readonly code: 'invalid_request' | 'unauthenticated' | 'forbidden' | 'not_found' | 'conflict' | 'rate_limited' | 'authorization_denied' | 'session_expired' | 'reauthorization_required' | 'integration_misconfigured' | 'provider_rejected' | 'provider_unavailable' | 'provider_invalid_response' | 'internal'
    readonly reason: string | null
    readonly message: string
  } | null
  readonly createdAt: string
  /** Until then it can be opened and finished */
  readonly expiresAt: string
  readonly finishedAt: string | null
}

export type Tested = {
  readonly ok: true
  /** Whether the provider could be asked; otherwise it is only known to be fresh */
  readonly asked: boolean
  readonly connection: Connection
}

export type WalkInput = {
  /** Of the list, after the provider's apiBase: /v1/users */
  readonly path: string
  readonly query?: Readonly<Record<string, unknown>> | undefined
  /** Further headers; none that the hub sets itself */
  readonly headers?: Readonly<Record<string, unknown>> | undefined
  /** Where the list stands in the answer: dotted keys. Left out: as the definition of the provider says */
  readonly items?: string | undefined
  /** Items at most; 1,000 unless told, never more than 100000 */
  readonly max?: number | undefined
  /** `next` of a walk that ended early */
  readonly from?: string | undefined
}

export type WalkLine = {
  readonly item: unknown
} | {
  readonly end: {
    /** Items that were handed out */
    readonly items: number
    /** Calls of the provider */
    readonly pages: number
    /** What `from` takes to go on after the last item; null where there is nothing to go on to */
    readonly next: string | null
    /** Whether the provider says that this was all */
    readonly complete: boolean
  }
} | {
  readonly error: {
    readonly code: 'invalid_request' | 'unauthenticated' | 'forbidden' | 'not_found' | 'conflict' | 'rate_limited' | 'authorization_denied' | 'session_expired' | 'reauthorization_required' | 'integration_misconfigured' | 'provider_rejected' | 'provider_unavailable' | 'provider_invalid_response' | 'internal'
    readonly message: string
    readonly reason: string | null
    readonly actor: 'caller' | 'end user' | 'operator' | 'provider' | 'us'
    /** The provider's status, where its answer ended the walk */
    readonly status: number | null
    readonly headers: Readonly<Record<string, string>> | null
    /** The provider's body, where its answer ended the walk */
    readonly body: unknown
    /** Items that were handed out */
    readonly items: number
    /** Calls of the provider */
    readonly pages: number
    /** What `from` takes to go on after the last item; null where there is nothing to go on to */
    readonly next: string | null
  }
}

/** Every route, by its method and path below /api/v1. */
export interface Routes {
  /** List the integrations */
  readonly 'GET /integrations': {
    readonly query?: {
      /** How many, from 1 to 100; 50 unless told */
      readonly limit?: number | undefined
      /** `next` of the page before */
      readonly cursor?: string | undefined
    } | undefined
    readonly answer: IntegrationList
  }
  /** Add an integration */
  readonly 'POST /integrations': {
    readonly body: NewIntegration
    readonly answer: Integration
  }
  /** Show an integration */
  readonly 'GET /integrations/{key}': {
    readonly params: {
      /** The name of the integration */
      readonly key: string
    }
    readonly answer: Integration
  }
  /** Change an integration */
  readonly 'PATCH /integrations/{key}': {
    readonly params: {
      /** The name of the integration */
      readonly key: string
    }
    readonly body?: IntegrationChange | undefined
    readonly answer: Integration
  }
  /** Remove an integration */
  readonly 'DELETE /integrations/{key}': {
    readonly params: {
      /** The name of the integration */
      readonly key: string
    }
    readonly answer: undefined
  }
  /** Begin to connect an account */
  readonly 'POST /connect-sessions': {
    readonly body: NewSession
    readonly answer: MadeSession
  }
  /** How it stands */
  readonly 'GET /connect-sessions/{id}': {
    readonly params: {
      /** The id of the session */
      readonly id: string
    }
    readonly answer: Session
  }
  /** List its attempts */
  readonly 'GET /connect-sessions/{id}/attempts': {
    readonly params: {
      /** The id of the session */
      readonly id: string
    }
    readonly query?: {
      /** How many, from 1 to 100; 50 unless told */
      readonly limit?: number | undefined
      /** `next` of the page before */
      readonly cursor?: string | undefined
    } | undefined
    readonly answer: AttemptList
  }
  /** List the connections, newest first */
  readonly 'GET /connections': {
    readonly query?: {
      /** How many, from 1 to 100; 50 unless told */
      readonly limit?: number | undefined
      /** `next` of the page before */
      readonly cursor?: string | undefined
      /** Through any of these; may be repeated */
      readonly integration?: readonly string[] | undefined
      /** Of this end user, by id or username; `me` for the environment's own */
      readonly endUser?: string | undefined
      /** Of end users of this organization, by your app's name for it */
      readonly organization?: string | undefined
      /** `name:value`; with all of these; may be repeated */
      readonly tag?: readonly string[] | undefined
      /** Part of your name for it, or of its end user's name, full name or e-mail */
      readonly search?: string | undefined
    } | undefined
    readonly answer: ConnectionList
  }
  /** Make a connection of a credential that you have */
  readonly 'POST /connections': {
    readonly body: NewConnection
    readonly answer: Connection
  }
  /** Show a connection */
  readonly 'GET /connections/{id}': {
    readonly params: {
      /** Its id, or your own name for it where that is unique; percent-encoded */
      readonly id: string
    }
    readonly answer: Connection
  }
  /** Change whose it is, its tags, or where you are told of it */
  readonly 'PATCH /connections/{id}': {
    readonly params: {
      /** Its id, or your own name for it where that is unique; percent-encoded */
      readonly id: string
    }
    readonly body?: ConnectionChange | undefined
    readonly answer: Connection
  }
  /** Delete a connection, with its credential */
  readonly 'DELETE /connections/{id}': {
    readonly params: {
      /** Its id, or your own name for it where that is unique; percent-encoded */
      readonly id: string
    }
    readonly answer: undefined
  }
  /** Get a credential that works now */
  readonly 'GET /connections/{id}/credential': {
    readonly params: {
      /** Its id, or your own name for it where that is unique; percent-encoded */
      readonly id: string
    }
    readonly query?: {
      /** Renew it first, whatever life it has left */
      readonly force?: boolean | undefined
      /** Show the refresh token too. Do not use it: the hub does */
      readonly refreshToken?: boolean | undefined
    } | undefined
    readonly answer: Credential
  }
  /** Set the metadata */
  readonly 'PUT /connections/{id}/metadata': {
    readonly params: {
      /** Its id, or your own name for it where that is unique; percent-encoded */
      readonly id: string
    }
    readonly body: Metadata
    readonly answer: Connection
  }
  /** Merge into the metadata */
  readonly 'PATCH /connections/{id}/metadata': {
    readonly params: {
      /** Its id, or your own name for it where that is unique; percent-encoded */
      readonly id: string
    }
    readonly body?: Metadata | undefined
    readonly answer: Connection
  }
  /** Try whether it works */
  readonly 'POST /connections/{id}/test': {
    readonly params: {
      /** Its id, or your own name for it where that is unique; percent-encoded */
      readonly id: string
    }
    readonly answer: Tested
  }
  /** List the providers */
  readonly 'GET /providers': {
    readonly query?: {
      /** How many, from 1 to 100; 50 unless told */
      readonly limit?: number | undefined
      /** `next` of the page before */
      readonly cursor?: string | undefined
      /** Only those of this category */
      readonly category?: 'accounting' | 'commerce' | 'communication' | 'crm' | 'developer' | 'identity' | 'productivity' | 'storage' | 'support' | undefined
      /** Only those whose id or name has this in it */
      readonly search?: string | undefined
    } | undefined
    readonly answer: ProviderList
  }
  /** Show a provider */
  readonly 'GET /providers/{id}': {
    readonly params: {
      /** Its id, like github */
      readonly id: string
    }
    readonly answer: Provider
  }
  /** List a provider's actions */
  readonly 'GET /providers/{id}/actions': {
    readonly params: {
      /** The id of a provider, like notion */
      readonly id: string
    }
    readonly query?: {
      /** How many, from 1 to 100; 50 unless told */
      readonly limit?: number | undefined
      /** `next` of the page before */
      readonly cursor?: string | undefined
      /** Only those about this */
      readonly resource?: string | undefined
      /** Only those with this in a name or in the title */
      readonly search?: string | undefined
    } | undefined
    readonly answer: ActionList
  }
  /** Show an action: what it takes */
  readonly 'GET /providers/{id}/actions/{action}': {
    readonly params: {
      /** The id of a provider, like notion */
      readonly id: string
      /** The id of an action, or another name that it has */
      readonly action: string
    }
    readonly answer: Action
  }
  /** Run an action */
  readonly 'POST /connections/{id}/actions/{action}': {
    readonly params: {
      /** Its id, or your own name for it where that is unique; percent-encoded */
      readonly id: string
      /** The id of an action, or another name that it has */
      readonly action: string
    }
    readonly query?: {
      /** Read all pages, as lines */
      readonly walk?: boolean | undefined
      /** Items at most; 1,000 unless told, never more than 100000 */
      readonly max?: number | undefined
      /** `next` of a walk that ended early */
      readonly from?: string | undefined
      /** Where the list stands in the answer: dotted keys. Left out: as the definition of the provider says */
      readonly items?: string | undefined
    } | undefined
    readonly body: ActionInput
    readonly answer: ActionAnswer
    readonly line: WalkLine
  }
  /** Walk a list by its path */
  readonly 'POST /connections/{id}/walk': {
    readonly params: {
      /** Its id, or your own name for it where that is unique; percent-encoded */
      readonly id: string
    }
    readonly body: WalkInput
    readonly answer: undefined
    readonly line: WalkLine
  }
  /** Show the key's environment */
  readonly 'GET /environment': {
    readonly answer: Environment
  }
  /** Change its allow-lists */
  readonly 'PATCH /environment': {
    readonly body?: EnvironmentChange | undefined
    readonly answer: Environment
  }
  /** List all environments of the hub */
  readonly 'GET /environments': {
    readonly query?: {
      /** How many, from 1 to 100; 50 unless told */
      readonly limit?: number | undefined
      /** `next` of the page before */
      readonly cursor?: string | undefined
    } | undefined
    readonly answer: EnvironmentList
  }
  /** Make an environment, with its first key */
  readonly 'POST /environments': {
    readonly body: NewEnvironment
    readonly answer: MadeEnvironment
  }
  /** List the keys, revoked ones too */
  readonly 'GET /keys': {
    readonly query?: {
      /** How many, from 1 to 100; 50 unless told */
      readonly limit?: number | undefined
      /** `next` of the page before */
      readonly cursor?: string | undefined
    } | undefined
    readonly answer: KeyList
  }
  /** Make a key */
  readonly 'POST /keys': {
    readonly body: NewKey
    readonly answer: MadeKey
  }
  /** Revoke a key */
  readonly 'DELETE /keys/{id}': {
    readonly params: {
      /** The id of the key, as the list shows it */
      readonly id: string
    }
    readonly answer: Key
  }
}
