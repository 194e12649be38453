/** The wire shapes, as the 2023 Connections API document prints them, and those of 2026 beside them. */
import * as z from 'zod'
import type { JsonObject } from '../../core/credential.ts'

const time = z.iso.datetime({ precision: 3 })
const json = z.record(z.string(), z.json()) as z.ZodType<JsonObject>

const credentials = z.union([
  z.strictObject({
    type: z.literal('OAUTH2'),
    access_token: z.string(),
    /** In 2026 only where it is asked for. */
    refresh_token: z.string().optional(),
    /** In 2023 only with a refresh token. */
    expires_at: time.optional(),
    raw: json,
  }),
  z.strictObject({
    type: z.literal('OAUTH1'),
    /** In 2023 only, where every type has one: the token. */
    access_token: z.string().optional(),
    oauth_token: z.string(),
    oauth_token_secret: z.string(),
    raw: json,
  }),
  /** Given as they are, without a flow. */
  z.strictObject({ type: z.literal('API_KEY'), apiKey: z.string() }),
  z.strictObject({ type: z.literal('BASIC'), username: z.string(), password: z.string() }),
  /** A key without the scope credentials:read. */
  z.strictObject({}),
])

/** GET /connection/:id */
export const connectionShape = z.strictObject({
  id: z.int().positive(),
  created_at: time,
  updated_at: time,
  provider_config_key: z.string(),
  connection_id: z.string(),
  credentials,
  connection_config: z.record(z.string(), z.string()),
  /** Numbers accounts in the vendor's cloud only; 0 everywhere else. */
  account_id: z.literal(0),
  metadata: json,
})
export type ConnectionShape = z.infer<typeof connectionShape>

/** Times of a row, as that vendor's database prints them. */
const rowTime = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$/)

const tags = z.record(z.string(), z.string())

const endUser = z.strictObject({
  id: z.string(),
  display_name: z.string().nullable(),
  email: z.string().nullable(),
  tags: tags.nullable(),
  organization: z.strictObject({ id: z.string(), display_name: z.string().nullable() }).nullable(),
})

/** GET /connections/:id, of 2026. What the hub has nothing for yet is there, and empty. */
export const currentConnectionShape = z.strictObject({
  id: z.int().positive(),
  connection_id: z.string(),
  provider_config_key: z.string(),
  /** What the provider is called, not the integration. */
  provider: z.string(),
  errors: z.tuple([]),
  end_user: endUser.nullable(),
  tags,
  metadata: json,
  connection_config: z.record(z.string(), z.string()),
  webhook_url_override: z.string().nullable(),
  created_at: rowTime,
  updated_at: rowTime,
  last_fetched_at: z.null(),
  credentials,
})
export type CurrentConnectionShape = z.infer<typeof currentConnectionShape>

/** GET /connections: no credentials. What is broken has an error. */
export const listedShape = z.strictObject({
  id: z.int().positive(),
  connection_id: z.string(),
  provider_config_key: z.string(),
  provider: z.string(),
  errors: z.array(z.strictObject({ type: z.literal('auth'), log_id: z.string() })),
  end_user: endUser.nullable(),
  tags,
  metadata: json,
  created: rowTime,
})
export const listShape = z.strictObject({ connections: z.array(listedShape) })
export type ListShape = z.infer<typeof listShape>

/** GET /connection, of 2023 with all that 2026 has besides. `provider` is the provider config key, whatever the provider is called. */
export const connectionsShape = z.strictObject({ connections: z.array(listedShape.extend({ created: time })) })
export type ConnectionsShape = z.infer<typeof connectionsShape>

/** POST /connect/sessions and /connect/sessions/reconnect. */
export const newSessionShape = z.strictObject({
  data: z.strictObject({ token: z.string(), connect_link: z.url(), expires_at: time }),
})

/** GET /connect/session */
const connectSessionShape = z.strictObject({
  data: z.strictObject({
    endUser: z
      .strictObject({
        id: z.string(),
        display_name: z.string().nullable(),
        email: z.string().nullable(),
        tags: z.record(z.string(), z.string()).nullable(),
        organization: z.strictObject({ id: z.string(), display_name: z.string().nullable() }).nullable(),
      })
      .nullable(),
    connectUISettings: z.strictObject({
      showWatermark: z.boolean(),
      defaultTheme: z.enum(['light', 'dark', 'system']),
      theme: z.strictObject({
        light: z.strictObject({ primary: z.string() }),
        dark: z.strictObject({ primary: z.string() }),
      }),
    }),
    allowed_integrations: z.array(z.string()).optional(),
    integrations_config_defaults: z
      .record(
        z.string(),
        z.strictObject({
          user_scopes: z.string().optional(),
          authorization_params: z.record(z.string(), z.string()).optional(),
          connection_config: z.record(z.string(), z.string()).optional(),
        }),
      )
      .optional(),
    overrides: z.record(z.string(), z.strictObject({ docs_connect: z.string() })).optional(),
    isReconnecting: z.literal(true).optional(),
    websocketsPath: z.literal('/'),
  }),
})
export type ConnectSessionShape = z.infer<typeof connectSessionShape>

/** POST /connections: the Connection whole, its times as JSON has them. */
export const importedShape = currentConnectionShape.extend({ created_at: time, updated_at: time })

const integration = z.strictObject({
  unique_key: z.string(),
  provider: z.string(),
  display_name: z.string(),
  logo: z.string().startsWith('data:image/svg+xml,'),
  forward_webhooks: z.literal(false),
  created_at: time,
  updated_at: time,
})
/** GET /integrations: beside what it is here, what the other dialect calls a connector. */
const connector = z.strictObject({
  id: z.string(),
  connectorId: z.string(),
  integrationId: z.string(),
  name: z.string(),
  category: z.array(z.string()),
  icon: z.string(),
  sandbox: z.boolean(),
})
const both = integration.extend(connector.shape)
export const integrationsShape = z.strictObject({ data: z.array(both), connectors: z.array(both) })
export const integrationShape = z.strictObject({
  data: integration.extend({
    webhook_url: z.null().optional(),
    credentials: z
      .strictObject({
        type: z.string(),
        client_id: z.string(),
        client_secret: z.string(),
        scopes: z.string(),
        webhook_secret: z.null(),
      })
      .optional(),
  }),
})

const provider = z.strictObject({
  name: z.string(),
  display_name: z.string(),
  logo_url: z.string().startsWith('data:image/svg+xml,'),
  auth_mode: z.string(),
  categories: z.array(z.string()),
  docs: z.url(),
  authorization_url: z.string(),
  token_url: z.string(),
  scope_separator: z.string().optional(),
  default_scopes: z.array(z.string()).optional(),
  proxy: z.strictObject({ base_url: z.string() }),
  connection_config: z
    .record(
      z.string(),
      z.strictObject({
        type: z.literal('string'),
        title: z.string(),
        example: z.string().optional(),
        default_value: z.string().optional(),
        optional: z.boolean(),
      }),
    )
    .optional(),
})
export const providersShape = z.strictObject({ data: z.array(provider) })
export const providerShape = z.strictObject({ data: provider })

export const errorShape = z.strictObject({
  error: z.strictObject({
    code: z.string(),
    message: z.string(),
    /** Each mistake in a query or a body. */
    errors: z
      .array(
        z.strictObject({
          code: z.string(),
          message: z.string(),
          path: z.array(z.union([z.string(), z.number()])).readonly(),
        }),
      )
      .readonly()
      .optional(),
    payload: z.unknown().optional(),
  }),
})
export type ErrorShape = z.input<typeof errorShape>
