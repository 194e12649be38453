/** What our own API takes and answers. Every field is always there: null where there is nothing. */
import * as z from 'zod'
import { scopes } from '../../core/environment.ts'
import { mostOf } from '../../core/limits.ts'
import { codes, listOf, moment, text, texts, time } from './shape.ts'

export const errorShape = z.strictObject({
  error: z.strictObject({
    code: z.enum(codes).meta({ description: 'What went wrong, as one of a fixed list' }),
    message: text('What is wrong, and who must do what. For people: it may change'),
    reason: z.string().optional().meta({ description: 'A finer cause, where there is one' }),
    actor: z
      .enum(['caller', 'end user', 'operator', 'provider', 'us'])
      .meta({ description: 'Who must act; us: the makers and the operator of the hub, whose log has the cause' }),
    parameter: z.string().optional().meta({ description: 'The parameter or field at fault' }),
    requestId: text('Also in the header x-request-id, and in the log of the hub'),
  }),
})
export type ErrorShape = z.infer<typeof errorShape>

// Environment

export const environmentShape = z.strictObject({
  name: z.string(),
  publicKey: text('May stand in a page: starts flows, reads nothing'),
  hmacRequired: z.boolean().meta({ description: 'Whether connect links that carry the public key need an HMAC' }),
  allowedRedirects: texts('URLs that a finished flow may return to, with any query'),
  allowedOrigins: texts('Origins whose pages may call the browser routes'),
  redirectUri: text("What to register at each provider: the hub's callback"),
  createdAt: time,
})

export const environmentChange = z.strictObject({
  allowedRedirects: z.array(z.string()).max(200).optional().meta({ description: 'The whole new list' }),
  allowedOrigins: z.array(z.string()).max(200).optional().meta({ description: 'The whole new list' }),
})

export const environmentLine = z.strictObject({ name: z.string(), createdAt: time })
export const environmentList = listOf(environmentLine)
export const newEnvironment = z.strictObject({
  name: text('Up to 40 lower-case letters, digits and hyphens'),
})

// Keys

export const keyShape = z.strictObject({
  id: z.string(),
  name: z.string(),
  begins: text('The first characters of the key, to tell it from others'),
  scopes: z.array(z.enum(scopes)),
  createdAt: time,
  revokedAt: time.nullable(),
})
export const keyList = listOf(keyShape)
export const newKey = z.strictObject({
  name: text('1 to 100 characters, so that you can tell it from others'),
  scopes: z
    .array(z.enum(scopes))
    .min(1)
    .optional()
    .meta({ description: 'What it may do: at most what your key may. Left out: all of that, but for admin' }),
})
export const madeKey = z.strictObject({
  ...keyShape.shape,
  secret: text('The key itself. It is shown this once'),
})
export const madeEnvironment = z.strictObject({
  name: z.string(),
  publicKey: z.string(),
  createdAt: time,
  key: madeKey.meta({ description: 'Its first key, with your scopes but for admin' }),
})

// Providers

const inputShape = z.strictObject({
  title: text('What a person calls it'),
  kind: z.enum(['label', 'segment', 'host']),
  required: z.boolean(),
  default: z.string().nullable(),
  example: z.string().nullable(),
})
export const providerShape = z.strictObject({
  id: z.string(),
  name: z.string(),
  categories: z.array(z.string()),
  auth: text('How an account is connected: oauth2 or oauth1'),
  kinds: texts('The kinds of credential that it takes: by a flow (oauth2), or given as they are'),
  refreshes: z.boolean().meta({ description: 'Whether it issues refresh tokens' }),
  scopes: texts('What a new integration asks for unless told otherwise'),
  params: z.record(z.string(), inputShape).meta({ description: 'Asked of who begins a flow' }),
  settings: z.record(z.string(), inputShape).meta({ description: 'Asked of who adds an integration' }),
  apiBase: text('Where paths of its API begin; may hold ${config.x}'),
  docs: texts("The provider's own pages that the definition was written from"),
})
export const providerList = listOf(providerShape)

// Integrations

const limitAbout: Readonly<Record<keyof typeof mostOf, string>> = {
  firstByteSeconds:
    'From the end of a request to the beginning of its answer; null: 60. Of an action the whole call; null: 20',
  idleSeconds: 'Without a byte, of a body under way; null: 60',
  requestBytes: "Of a request's body; null: as many as come",
  answerBytes: "Of an answer's body, as it comes; null: as many as come. An action takes 10 MB at most",
}
const limit = (name: keyof typeof mostOf) =>
  z.int().min(1).max(mostOf[name]).nullable().meta({ description: limitAbout[name] })
const limits = z.strictObject({
  firstByteSeconds: limit('firstByteSeconds'),
  idleSeconds: limit('idleSeconds'),
  requestBytes: limit('requestBytes'),
  answerBytes: limit('answerBytes'),
})

export const integrationShape = z.strictObject({
  key: text("The operator's name for it"),
  provider: z.string(),
  displayName: z.string().nullable().meta({ description: "What end users read; null: the provider's name" }),
  limits: limits.meta({ description: 'How long the provider is waited for, and how much passes' }),
  clientId: z.string(),
  scopes: texts('What it asks for; a flow may only narrow it'),
  settings: z.record(z.string(), z.string()),
  redirectUri: text('Register this at the provider'),
  forwardTo: z.string().nullable().meta({
    description: "Where redirectUri is your app's own: send the browser on to here, with the same query",
  }),
  sandbox: z.boolean().meta({ description: 'Played by the sandbox of mortise dev' }),
  createdAt: time,
  updatedAt: time,
})
export const integrationList = listOf(integrationShape)
export const newIntegration = z.strictObject({
  key: text('Your name for it: up to 100 letters, digits and . _ ~ -'),
  provider: z.string().optional().meta({ description: 'The id of a provider; the key, if it is left out' }),
  displayName: z
    .string()
    .optional()
    .meta({ description: "What end users read; the provider's name, if it is left out" }),
  limits: limits.partial().optional().meta({ description: 'Those that are not to be the usual ones' }),
  clientId: z.string().optional().meta({ description: 'As the provider shows it for your app' }),
  clientSecret: z.string().optional().meta({ description: 'Sealed when it arrives, and never shown' }),
  scopes: z.array(z.string()).optional().meta({ description: "Left out: the definition's default" }),
  settings: z
    .record(z.string(), z.string())
    .optional()
    .meta({ description: 'What the definition asks of the operator' }),
  redirectUri: z
    .string()
    .optional()
    .meta({ description: "Your app's own callback, where the provider has that registered" }),
  sandbox: z.boolean().optional().meta({
    description: 'Played by the sandbox from the next start of mortise dev on; needs no client',
  }),
})

export const integrationChange = z.strictObject({
  key: z.string().optional().meta({ description: 'Another name; not while connections are found by the old one' }),
  displayName: z.string().nullable().optional().meta({ description: "What end users read; null: the provider's name" }),
  limits: limits.partial().nullable().optional().meta({
    description: 'Those that are named change, null: to the usual one; the others stay',
  }),
  clientId: z.string().optional(),
  clientSecret: z.string().optional().meta({ description: 'In place of the one before' }),
  scopes: z.array(z.string()).optional().meta({ description: 'The whole new list; it holds for flows from now on' }),
})

// End users, where they are named

const told = z.strictObject({
  username: text("Your app's own name for it. One of that name is known from then on"),
  fullName: z.string().optional(),
  email: z.string().optional(),
  tags: z.record(z.string(), z.string()).optional(),
  organization: z.strictObject({ id: z.string(), name: z.string().optional() }).optional(),
})
const endUser = z.union([z.string(), told])
export type EndUserAsk = z.infer<typeof endUser>

// Connect sessions

export const newSession = z.strictObject({
  integration: z.string().optional().meta({
    description:
      'The key of an integration, or its provider if there is one only; needed unless `integrations` or `connection` is given',
  }),
  integrations: z.array(z.string()).min(1).max(100).optional().meta({
    description:
      'The end user picks among these on the page behind `link`, and may connect each of them. With `endUser` alone',
  }),
  connection: z.string().optional().meta({
    description: 'The id of a connection to connect again; it keeps its id, whatever account is picked',
  }),
  endUser: endUser.optional().meta({
    description:
      "Whose the connection will be: a username or an id of one that is known; or an object with what you tell of one, who is made if need be. Left out: the environment's own",
  }),
  opens: z.enum(['page', 'link']).optional().meta({
    description: 'page: the browser SDK opens it with the token. link: the end user opens the link. page unless told',
  }),
  returnTo: z
    .string()
    .optional()
    .meta({ description: 'Where the browser goes at the end. Left out: a page of the hub tells' }),
  allowDuplicate: z
    .boolean()
    .optional()
    .meta({ description: 'Make a second connection where the same account is connected already' }),
  params: z
    .record(z.string(), z.string())
    .optional()
    .meta({ description: 'What the provider asks for, like a subdomain' }),
  name: z.string().max(255).optional().meta({ description: 'What the connection is to be called, for people' }),
})
const sessionError = z
  .strictObject({ code: z.enum(codes), reason: z.string().nullable(), message: z.string() })
  .nullable()
  .meta({ description: 'Why it failed' })
export const sessionShape = z.strictObject({
  id: z.string(),
  status: z.enum(['pending', 'connected', 'failed', 'expired']),
  opened: z.boolean().meta({ description: 'Whether a browser has opened it' }),
  integration: z.string().nullable().meta({ description: 'null where the end user chooses' }),
  endUser: text("The id of the end user; the environment's own has one too"),
  connection: z.string().nullable().meta({ description: 'The id of the connection, once there is one' }),
  error: sessionError,
  createdAt: time,
  expiresAt: moment('Until then it can be opened and finished'),
  finishedAt: time.nullable(),
})
export const attemptShape = z.strictObject({
  status: z.enum(['pending', 'connected', 'failed', 'expired']),
  integration: z.string(),
  scopes: texts('What the provider was asked for'),
  error: sessionError,
  startedAt: time,
  expiresAt: moment('Until then the provider must send the browser back'),
  returnedAt: time.nullable().meta({ description: 'When the browser came back from the provider' }),
})
export const attemptList = listOf(attemptShape)
export const madeSession = z.strictObject({
  ...sessionShape.shape,
  token: text(
    'For the browser SDK: `connect({session: token})`; of a session with `integrations`, what the page behind `link` is given. It is shown this once',
  ),
  link: z.string().nullable().meta({ description: 'For the browser of the end user; null where a page opens it' }),
})

// Connections

/** Any JSON object: what comes in was parsed from JSON. */
const json = z.record(z.string(), z.unknown())
export const personShape = z.strictObject({
  id: text('Of the hub'),
  username: text("Your app's own name for it"),
  fullName: z.string().nullable(),
  email: z.string().nullable(),
  tags: z.record(z.string(), z.string()),
  organization: z.strictObject({ id: z.string(), name: z.string().nullable() }).nullable(),
})
export const connectionShape = z.strictObject({
  id: text('Unique in the environment'),
  connectionId: text('Your name for it, unique with the integration; the id, where you gave none'),
  integration: z.string(),
  provider: z.string(),
  kind: text('oauth2 or oauth1, or the kind of key that was given'),
  status: z.enum(['connected', 'reauthorization_required']),
  statusReason: z.string().nullable().meta({ description: 'Why its end user must come back, where that is so' }),
  name: z.string().nullable().meta({ description: 'What you call it, for people' }),
  endUser: personShape.nullable().meta({ description: "Whose it is; null: the environment's own" }),
  account: z
    .strictObject({
      id: z.string(),
      name: z.string().nullable(),
      personId: z.string().nullable(),
      personName: z.string().nullable(),
    })
    .nullable()
    .meta({ description: 'The account at the provider, where that says' }),
  scopes: z.array(z.string()).nullable().meta({ description: 'As granted; null where the provider does not say' }),
  config: z.record(z.string(), z.string()).meta({ description: 'What was given for params, and what the flow keeps' }),
  tags: z.record(z.string(), z.string()).meta({ description: 'What you find it by' }),
  metadata: json.meta({ description: 'What you set' }),
  facts: json.meta({ description: 'What the flow obtained' }),
  webhookUrlOverride: z
    .string()
    .nullable()
    .meta({ description: 'Where you are told of this connection, if elsewhere' }),
  refreshable: z.boolean().meta({ description: 'Whether there is a refresh token' }),
  expiresAt: time.nullable().meta({ description: 'When the access token ends; it is renewed before' }),
  obtainedAt: moment('When the provider gave the credential'),
  checkedAt: time.nullable().meta({ description: 'When the provider last took it, by asking' }),
  createdAt: time,
  updatedAt: time,
})
export const connectionList = listOf(connectionShape)

export const connectionChange = z.strictObject({
  endUser: endUser.optional().meta({ description: 'Whose it is from now on' }),
  tags: z
    .record(z.string(), z.string())
    .optional()
    .meta({ description: 'The whole new set; those of its end user stay' }),
  webhookUrlOverride: z.string().nullable().optional().meta({
    description: 'Where you are told of this connection; null: where you are told of all',
  }),
})
export const metadataShape = json.meta({ description: 'Any JSON object' })

export const newConnection = z.strictObject({
  integration: text('The key of an integration, or its provider if there is one only'),
  credential: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('oauth2'),
      accessToken: text('As the provider gave it'),
      refreshToken: z.string().optional().meta({ description: 'From now on the hub alone may use it' }),
      expiresAt: time.optional().meta({ description: 'When the access token ends' }),
      scopes: z.array(z.string()).optional(),
      raw: json.optional().meta({ description: 'The token answer that they came in, where you have it' }),
    }),
    z.strictObject({ kind: z.literal('oauth1'), token: z.string(), tokenSecret: z.string() }),
    z.strictObject({ kind: z.enum(['apiKey', 'bearer']), key: z.string() }),
    z.strictObject({ kind: z.literal('basic'), username: z.string(), password: z.string() }),
  ]),
  connectionId: z.string().optional().meta({ description: 'Your name for it. One of that name gets this credential' }),
  name: z.string().max(255).optional().meta({ description: 'What you call it, for people' }),
  endUser: endUser.optional().meta({ description: "Whose it is; left out: the environment's own" }),
  params: z
    .record(z.string(), z.string())
    .optional()
    .meta({ description: 'What the provider asks for, like a subdomain' }),
  allowDuplicate: z
    .boolean()
    .optional()
    .meta({ description: 'Make a second connection where the same account is connected already' }),
  metadata: json.optional(),
  tags: z.record(z.string(), z.string()).optional(),
  webhookUrlOverride: z.string().optional(),
})

const secretText = (description: string) => text(`${description}. Secret`)
export const credentialShape = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('oauth2'),
      accessToken: secretText('Works now: send it as the provider wants it, mostly as a Bearer token'),
      refreshToken: z.string().nullable().meta({ description: 'Only with `refreshToken=true`. Secret' }),
      expiresAt: time.nullable(),
      raw: json.meta({ description: 'The token answer of the provider, without its refresh token. Secret' }),
    }),
    z.strictObject({
      kind: z.literal('oauth1'),
      token: secretText('Sign each request with it (RFC 5849)'),
      tokenSecret: secretText('Goes with the token, into the signature only'),
    }),
    z.strictObject({ kind: z.literal('apiKey'), key: secretText('As the end user gave it') }),
    z.strictObject({ kind: z.literal('bearer'), key: secretText('As the end user gave it') }),
    z.strictObject({ kind: z.literal('basic'), username: z.string(), password: secretText('As the end user gave it') }),
  ])
  .meta({ description: 'Read it for each use and keep it nowhere: the hub renews it' })

export const testedShape = z.strictObject({
  ok: z.literal(true),
  asked: z
    .boolean()
    .meta({ description: 'Whether the provider could be asked; otherwise it is only known to be fresh' }),
  connection: connectionShape,
})
// As types

export type EnvironmentShape = z.infer<typeof environmentShape>
export type KeyShape = z.infer<typeof keyShape>
export type ProviderShape = z.infer<typeof providerShape>
export type IntegrationShape = z.infer<typeof integrationShape>
export type SessionShape = z.infer<typeof sessionShape>
export type ConnectionShape = z.infer<typeof connectionShape>
export type CredentialShape = z.infer<typeof credentialShape>
export type MadeSessionShape = z.infer<typeof madeSession>
export type AttemptShape = z.infer<typeof attemptShape>
export type PersonShape = z.infer<typeof personShape>
