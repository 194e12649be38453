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

/** GET /connections/:id, of 2026. What the hub has nothing for yet is there, and empty. */
export const currentConnectionShape = z.strictObject({
  id: z.int().positive(),
  connection_id: z.string(),
  provider_config_key: z.string(),
  /** What the provider is called, not the integration. */
  provider: z.string(),
  errors: z.tuple([]),
  end_user: z
    .strictObject({
      id: z.string(),
      display_name: z.null(),
      email: z.null(),
      tags: z.null(),
      organization: z.null(),
    })
    .nullable(),
  tags: z.strictObject({}),
  metadata: json,
  connection_config: z.record(z.string(), z.string()),
  webhook_url_override: z.null(),
  created_at: rowTime,
  updated_at: rowTime,
  last_fetched_at: z.null(),
  credentials,
})
export type CurrentConnectionShape = z.infer<typeof currentConnectionShape>

/** GET /connection. `provider` is the provider config key, whatever the provider is called. */
export const connectionsShape = z.strictObject({
  connections: z.array(z.strictObject({ connection_id: z.string(), provider: z.string(), created: time })),
})
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

/** One thing that is wrong with a body. */
const issueShape = z.strictObject({
  code: z.string(),
  message: z.string(),
  path: z.array(z.union([z.string(), z.number()])),
})
export type IssueShape = z.infer<typeof issueShape>

const errorShape = z.strictObject({
  error: z.strictObject({ code: z.string(), message: z.string(), errors: z.array(issueShape).optional() }),
})
export type ErrorShape = z.infer<typeof errorShape>
