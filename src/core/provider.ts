/**
 * A provider: a third party's API and how to authenticate there. Data, never code: one YAML file in `providers/`.
 *
 * Text in `{…}` below may hold templates: `${config.x}` (the connection's configuration: what the end user gave as
 * `params[x]`, and what `keep` took from the token response) and `${settings.x}` (what the operator set on the
 * integration). A value is percent-encoded where it stands in a path or a query; where it stands in a host it must be
 * a DNS label, and the finished host must still end in what the template spells out after it (see `template.ts`).
 */
import * as z from 'zod'
import { type CredentialKind, isKey, keyKinds } from './credential.ts'
import { paginateSchema } from './paginate.ts'
import { signatureMethods } from './ports.ts'
import { expired, failed, placement, retry } from './provider-api.ts'

const name = z
  .string()
  .regex(/^[a-z][a-zA-Z0-9_]*$/, 'a name: a lower-case letter, then letters, digits and _')
  .meta({ description: 'A name: a lower-case letter, then letters, digits and _' })

/**
 * An absolute URL, `https:` (or `http:` on loopback, for tests and an operator's own server), perhaps with templates; or
 * the origin that `config.x` keeps (`keep.host` bounds it), perhaps with a path: Salesforce's instance_url.
 */
const url = z
  .string()
  .regex(
    /^((https:\/\/|http:\/\/(localhost|127\.0\.0\.1|\[::1\])[:/])\S+|\$\{config\.[a-z][a-zA-Z0-9_]*\}(\/\S*)?)$/,
    'an absolute https: URL (http: only on localhost, 127.0.0.1 or [::1]), or ${config.x} with perhaps a path',
  )
  .meta({
    description: 'An absolute https: URL; may hold ${config.x} and ${settings.x}, or begin with a kept ${config.x}',
  })

/** Where a fact stands in a JSON answer: dotted keys (`authed_user.access_token`, `0.tenantId`); of several, the first present wins. */
const path = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).meta({
  description:
    'Dotted keys into the JSON answer; of a list, the first that is present. id_token.x is a claim of the ID token',
})

const texts = z.record(z.string().min(1), z.string())

/** A value asked for. `kind` decides how it is checked before it may stand in a URL. */
const input = z.strictObject({
  title: z.string().min(1).meta({ description: 'What a person calls it, e.g. "Zendesk subdomain"' }),
  kind: z.enum(['label', 'segment', 'host']).meta({
    description:
      'label: one DNS label (may stand in a host). segment: one path segment, [A-Za-z0-9._~-]. host: a whole DNS host, settings only',
  }),
  example: z.string().optional(),
  default: z
    .string()
    .optional()
    .meta({ description: 'Used when the value is not given; without it the value is required' }),
})

export const categories = [
  'accounting',
  'commerce',
  'communication',
  'crm',
  'developer',
  'identity',
  'productivity',
  'storage',
  'support',
] as const

const client = z.enum(['basic', 'body']).meta({
  description: 'How the client authenticates (RFC 6749 §2.3.1): HTTP Basic, or client_id and client_secret in the body',
})
const body = z.enum(['form', 'json']).meta({ description: 'The body of the request: a form (RFC 6749), or JSON' })

const authorize = z.strictObject({
  url,
  params: texts.optional().meta({ description: 'Fixed parameters, e.g. { access_type: offline }' }),
  scopes: z
    .strictObject({
      param: z.string().default('scope').meta({ description: 'The parameter that carries the scopes' }),
      separator: z.enum([' ', ',']).default(' '),
      default: z
        .array(z.string())
        .default([])
        .meta({ description: 'What a new integration asks for when its operator names none' }),
    })
    .optional()
    .meta({ description: 'Left out where the provider has no scopes in the URL (Notion)' }),
  pkce: z.enum(['S256', 'forbidden']).default('S256').meta({
    description: 'forbidden only where the provider refuses the parameters; ignoring them is no reason (RFC 7636)',
  }),
  issuer: url
    .refine(text => !text.includes('${'), 'must be the issuer itself, without templates')
    .optional()
    .meta({ description: 'The issuer identifier that `iss` must equal (RFC 9207)' }),
  issuerAlways: z.boolean().default(false).meta({
    description:
      'The provider advertises authorization_response_iss_parameter_supported: an answer without iss is refused',
  }),
})

const token = z.strictObject({
  url,
  client,
  body: body.default('form'),
  headers: texts.optional(),
  params: texts.optional().meta({ description: 'Further fixed parameters of the code exchange' }),
  answer: z
    .strictObject({
      accessToken: path.default('access_token'),
      refreshToken: path.default('refresh_token'),
      expiresIn: path.default('expires_in').meta({ description: 'Seconds' }),
      scope: path.default('scope'),
      error: path
        .default(['error', 'error.code', 'error.type', 'code', 'errorCode'])
        .meta({ description: 'Where the code of a refusal stands' }),
    })
    .prefault({})
    .meta({ description: 'Where the answer differs from RFC 6749 §5.1' }),
  lifetime: z.int().positive().optional().meta({
    description:
      'Seconds an access token is known to live where the answer has no expires_in; without it such a token never expires',
  }),
})

const refresh = z.strictObject({
  url: url.optional().meta({ description: 'Where it differs from token.url' }),
  params: texts.optional(),
  rotates: z.boolean().meta({ description: 'Each use spends the refresh token and the answer carries a new one' }),
  grace: z.int().positive().optional().meta({
    description:
      'Seconds in which a spent refresh token is accepted again, as the provider documents it: an answer that got lost is then asked for once more at once',
  }),
  idle: z.int().positive().optional().meta({
    description: 'Seconds after which a refresh token that was not used is dead, as the provider documents it',
  }),
  ahead: z.number().gt(0).lt(1).default(0.15).meta({
    description: "The share of an access token's life that is left when it is renewed in the background",
  }),
  margin: z.int().positive().default(300).meta({
    description:
      "Seconds before its end from which a token is not answered without renewing it first; at most a fifth of the token's life",
  }),
  survives: z.boolean().default(false).meta({
    description:
      'An access token keeps working to its own end after a refresh has given a newer one, as the provider documents it',
  }),
  permanent: z
    .array(z.string())
    .default([])
    .meta({ description: 'Error codes that, besides invalid_grant, mean that only the end user can repair it' }),
  transient: z.array(z.string()).default([]).meta({
    description:
      'Error codes that, besides temporarily_unavailable and slow_down, mean that nothing was done and the same request may work later',
  }),
  unspent: z.array(z.int().min(500).max(599)).default([]).meta({
    description:
      'Statuses of a complete 5xx answer after which the refresh token is certainly not spent, as the provider documents it',
  }),
})

const introspect = z.strictObject({
  url,
  client: z.enum(['basic', 'body']).meta({ description: 'How the client authenticates there (RFC 7662 §2.1)' }),
  expiresAt: path.default('exp').meta({ description: 'Where the end stands in the answer: seconds since 1970' }),
})

const identity = z.strictObject({
  request: z
    .strictObject({
      url,
      method: z.enum(['GET', 'POST']).default('GET'),
      headers: texts.optional(),
      body: z.string().optional(),
    })
    .optional()
    .meta({
      description: 'The call that tells who it is, made with the new credential. Left out where the token answer tells',
    }),
  account: path.meta({ description: 'The stable id of the workspace, organisation or account' }),
  accountName: path.optional().meta({ description: 'Its human name' }),
  person: path.optional().meta({ description: 'The stable id of the person who authorised' }),
  personName: path.optional().meta({ description: 'Name or e-mail of that person' }),
  shared: z
    .literal(true)
    .optional()
    .meta({ description: 'The token belongs to the account itself, not to a person (an app installed in a shop)' }),
})

const keyKind = z.strictObject({
  title: z.string().min(1).meta({ description: 'What the provider calls it, e.g. "Personal access token"' }),
  header: z.string().optional().meta({ description: 'Where it differs from api.header' }),
  prefix: z.string().optional().meta({ description: 'Where it differs from api.prefix; `Basic ` for basic' }),
  placement: placement.optional(),
})

const keys = z.strictObject({
  kinds: z.partialRecord(z.enum(keyKinds), keyKind).meta({
    description: 'apiKey and bearer: one text. basic: a user name and a password',
  }),
  identity: identity
    .optional()
    .meta({ description: 'Whose account a key opens; without it, as identity says, which then needs a request' }),
})

const keep = z.strictObject({
  path,
  host: z
    .array(z.string().regex(/^\.[a-z0-9.-]+$/, 'a host suffix that starts with a dot, e.g. .salesforce.com'))
    .min(1)
    .optional()
    .meta({
      description: 'The value is an https URL; its host must end in one of these. Required for a value used in a URL',
    }),
})

const revoke = z.strictObject({
  url,
  client: z.enum(['basic', 'body', 'id', 'bearer', 'none']).meta({
    description:
      'As token.client; id: client_id alone in the body; bearer: the access token itself authenticates the call',
  }),
  method: z.enum(['POST', 'DELETE', 'GET']).default('POST'),
  body: body.default('form'),
  param: z
    .string()
    .optional()
    .meta({ description: 'The parameter that carries the token: `token` (RFC 7009), and none with bearer' }),
  params: texts.optional().meta({ description: 'Further fixed parameters' }),
  token: z.enum(['access', 'refresh']).default('access').meta({ description: 'Which token ends the whole grant' }),
  headers: texts.optional(),
  ends: z.enum(['grant', 'account']).default('grant').meta({
    description:
      'account: it ends what everybody in the account gave to this client, so it waits until the last of its connections is deleted',
  }),
})

const signed = z.strictObject({
  url,
  method: z.enum(['POST', 'GET']).default('POST'),
})

const about = {
  name: z.string().min(1).meta({ description: 'What people call it' }),
  categories: z
    .array(z.enum(categories))
    .default([])
    .meta({ description: 'What it is for; lists of connectors can be narrowed by these' }),
  docs: z.array(z.url()).min(1).meta({ description: "The provider's own pages that this file was written from" }),
}

const calls = {
  api: z.strictObject({
    base: url.meta({ description: 'Where API paths begin' }),
    hosts: z
      .array(z.string().regex(/^(\*\.)?[a-z0-9.-]+$/, 'a host, or *.suffix'))
      .default([])
      .meta({
        description:
          'Further hosts that the credential may be sent to (*.suffix for any host below); the host of base always may',
      }),
    header: z.string().default('Authorization').meta({ description: 'The header that carries the access token' }),
    prefix: z.string().default('Bearer ').meta({ description: 'What stands before the token there' }),
    headers: texts.optional().meta({
      description: 'Headers that every API call needs, e.g. Notion-Version; may hold ${config.x} and ${settings.x}',
    }),
    placement: placement.optional(),
    retry: retry.optional(),
    expired: expired.optional(),
    failed: failed.optional(),
    paginate: paginateSchema.optional(),
  }),
  params: z
    .record(name, input)
    .default({})
    .meta({ description: 'Asked of the caller as params[x]; become connection_config.x' }),
  settings: z
    .record(name, input)
    .default({})
    .meta({ description: 'Asked of the operator when an integration is added' }),
}

const account = {
  identity: identity.optional().meta({ description: 'Whose account it is; left out where the provider does not say' }),
  keys: keys.optional().meta({ description: 'Credentials that an end user may give as they are, without a flow' }),
  config: z
    .record(name, keep)
    .default({})
    .meta({ description: 'Facts of the token answer, or else the identity answer, kept in connection_config' }),
  metadata: z
    .record(name, path)
    .default({})
    .meta({ description: 'Facts of the token answer, or else the identity answer, shown in metadata' }),
}

const oauth2 = z.strictObject({
  ...about,
  auth: z.literal('oauth2').meta({ description: 'The grant: authorization code with refresh' }),
  ...calls,
  authorize,
  token,
  refresh: refresh.optional().meta({ description: 'Left out where the provider never issues refresh tokens' }),
  introspect: introspect.optional().meta({
    description:
      'RFC 7662: where an answer that is silent about its expiry is asked for it; token.lifetime stands where that fails',
  }),
  ...account,
  revoke: revoke
    .optional()
    .meta({ description: 'How a grant is ended at the provider (RFC 7009, or what it has in its place)' }),
})

const oauth1 = z.strictObject({
  ...about,
  auth: z.literal('oauth1').meta({ description: 'OAuth 1.0a (RFC 5849): every request is signed, no token expires' }),
  signature: z.enum(signatureMethods).meta({ description: 'How requests are signed (RFC 5849 §3.4)' }),
  ...calls,
  temporary: signed.meta({ description: 'Where temporary credentials are asked for (RFC 5849 §2.1)' }),
  authorize: authorize
    .pick({ url: true, params: true, scopes: true })
    .meta({ description: 'Where the browser is sent with them (RFC 5849 §2.2)' }),
  token: signed.meta({ description: 'Where they are exchanged for the token (RFC 5849 §2.3)' }),
  ...account,
})

export const providerSchema = z
  .discriminatedUnion('auth', [oauth2, oauth1], {
    error: issue => (issue.code === 'invalid_union' ? 'must be oauth2 or oauth1' : undefined),
  })
  .meta({ title: 'Mortise provider', description: 'How to authenticate at one provider. The file name is the id.' })

/** A provider definition, validated, with its id (the file's name without `.yaml`). */
export type Provider = OAuth2Provider | OAuth1Provider
export type OAuth2Provider = z.output<typeof oauth2> & { readonly id: string }
/** Nothing of it is renewed, so that what asks for that finds nothing. */
export type OAuth1Provider = z.output<typeof oauth1> & {
  readonly id: string
  readonly refresh?: undefined
  readonly introspect?: undefined
  readonly revoke?: undefined
}
export type Identity = z.output<typeof identity>

/** How it is asked whose account a credential opens: a key is asked otherwise than a token, where the definition says so. */
export const identityOf = (provider: Provider, kind: CredentialKind): Identity | undefined =>
  isKey(kind) ? (provider.keys?.identity ?? provider.identity) : provider.identity

/** Where a refresh token stands in a token answer. */
export const refreshPath = (provider: Provider): Path =>
  provider.auth === 'oauth2' ? provider.token.answer.refreshToken : []

export type ProviderInput = z.output<typeof input>
export type Path = z.output<typeof path>

/** A provider's id, which is its file's name. */
export const providerId = /^[a-z0-9]+(-[a-z0-9]+)*$/
