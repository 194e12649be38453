/** The wire shapes, as the 2023 Connections API document prints them. */
import * as z from 'zod'
import type { JsonObject } from '../../core/credential.ts'

const time = z.iso.datetime({ precision: 3 })
const json = z.record(z.string(), z.json()) as z.ZodType<JsonObject>

/** GET /connection/:id */
export const connectionShape = z.strictObject({
  id: z.int().positive(),
  created_at: time,
  updated_at: time,
  provider_config_key: z.string(),
  connection_id: z.string(),
  credentials: z.union([
    z.strictObject({
      type: z.literal('OAUTH2'),
      access_token: z.string(),
      refresh_token: z.string().optional(),
      /** Only with a refresh token. */
      expires_at: time.optional(),
      raw: json,
    }),
    /** Given as they are, without a flow. */
    z.strictObject({ type: z.literal('API_KEY'), apiKey: z.string() }),
    z.strictObject({ type: z.literal('BASIC'), username: z.string(), password: z.string() }),
    /** A key without the scope credentials:read. */
    z.strictObject({}),
  ]),
  connection_config: z.record(z.string(), z.string()),
  /** Numbers accounts in the vendor's cloud only; 0 everywhere else. */
  account_id: z.literal(0),
  metadata: json,
})
export type ConnectionShape = z.infer<typeof connectionShape>

/** GET /connection. `provider` is the provider config key, whatever the provider is called. */
export const connectionsShape = z.strictObject({
  connections: z.array(z.strictObject({ connection_id: z.string(), provider: z.string(), created: time })),
})
export type ConnectionsShape = z.infer<typeof connectionsShape>

const errorShape = z.strictObject({ error: z.strictObject({ code: z.string(), message: z.string() }) })
export type ErrorShape = z.infer<typeof errorShape>
