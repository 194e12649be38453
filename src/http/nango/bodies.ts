/** What the bodies of this dialect may hold. Strict: a name that is not known is a mistake, and is named. */
import * as z from 'zod'
import type { JsonObject } from '../../core/credential.ts'

const json = z.record(z.string(), z.json()) as z.ZodType<JsonObject>
const texts = z.record(z.string(), z.string())
/** What names something: no control character in it. */
const named = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[^\p{Cc}]*$/u, 'must have no control character')
const some = z.string().min(1).max(20_000)

export const endUserBody = z.strictObject({
  id: z.string().min(1).max(255),
  email: z.string().min(1).max(255).optional(),
  display_name: z.string().min(1).max(255).optional(),
  tags: texts.optional(),
  organization: z
    .strictObject({ id: z.string().min(1).max(255), display_name: z.string().min(1).max(255).optional() })
    .optional(),
})
export type EndUserBody = z.output<typeof endUserBody>

const time = z.union([z.iso.datetime({ offset: true }), z.date()]).transform(at => new Date(at))

const credentials = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('OAUTH2'),
    access_token: some,
    refresh_token: some.nullish(),
    expires_at: time.nullish(),
    raw: json.nullish(),
  }),
  z.strictObject({
    type: z.literal('OAUTH1'),
    oauth_token: some,
    oauth_token_secret: some,
    raw: json.nullish(),
  }),
  z.strictObject({ type: z.literal('API_KEY'), apiKey: some.optional(), api_key: some.optional() }),
  z.strictObject({
    type: z.literal('BASIC'),
    username: z
      .string()
      .max(2000)
      .regex(/^[^:]*$/, 'must hold no colon (RFC 7617)'),
    password: z.string().max(20_000),
  }),
])
export type CredentialsBody = z.output<typeof credentials>

/** POST /connections */
export const importBody = z.strictObject({
  provider_config_key: named,
  connection_id: named.optional(),
  credentials,
  metadata: json.optional(),
  connection_config: json.optional(),
  webhook_url_override: z.string().optional(),
  end_user: endUserBody.optional(),
  tags: texts.optional(),
})
export type ImportBody = z.output<typeof importBody>

/** POST /connection, flat, as old clients send it; what it does not know is let be. */
export const oldImportBody = z.looseObject({
  provider_config_key: named,
  connection_id: named,
  metadata: json.optional(),
  connection_config: json.optional(),
  access_token: some.optional(),
  oauth_token: some.optional(),
  oauth_token_secret: some.optional(),
  refresh_token: some.nullish(),
  expires_at: time.nullish(),
  raw: json.nullish(),
  api_key: some.optional(),
  apiKey: some.optional(),
  username: z.string().optional(),
  password: z.string().optional(),
})

/** PATCH /connections/:id */
export const patchBody = z
  .strictObject({
    end_user: endUserBody.optional(),
    tags: texts.optional(),
    webhook_url_override: z.string().nullable().optional(),
  })
  .refine(body => Object.keys(body).length > 0, 'names nothing to change: send end_user, tags or webhook_url_override')

/** POST and PATCH /connections/metadata */
export const metadataBody = z.strictObject({
  connection_id: z.union([named, z.array(named).min(1).max(1000)]),
  provider_config_key: named,
  metadata: json,
})

/** POST and PATCH /connection/:id/metadata: the metadata, bare. */
export const bareMetadata = json

const integrationCredentials = z.strictObject({
  type: z.enum(['OAUTH1', 'OAUTH2']),
  client_id: named,
  client_secret: z.string().min(1).max(20_000),
  scopes: z.string().optional(),
  webhook_secret: z.null().optional(),
})

/** Whatever a provider sends to a hub of theirs, this one has no route for it yet. */
const forward = z.literal(false, 'must be false: this hub forwards no webhooks of providers').optional()

/** POST /integrations */
export const newIntegrationBody = z.strictObject({
  provider: named,
  unique_key: named,
  display_name: z.string().min(1).max(255).optional(),
  credentials: integrationCredentials,
  forward_webhooks: forward,
  integration_config: texts.optional(),
})

/** PATCH /integrations/:k */
export const integrationPatchBody = z.strictObject({
  unique_key: named.optional(),
  display_name: z.string().min(1).max(255).optional(),
  credentials: integrationCredentials.partial({ client_id: true, client_secret: true }).optional(),
  forward_webhooks: forward,
})

/** POST and PUT /config, of old clients. */
export const configBody = z.looseObject({
  provider_config_key: named,
  provider: named.optional(),
  oauth_client_id: named,
  oauth_client_secret: z.string().min(1),
  oauth_scopes: z.string().optional(),
})
