/** The wire shapes, as the vendor's documents and clients read them. Where two spellings are about, both are there. */
import * as z from 'zod'

const time = z.iso.datetime({ precision: 3 })

/** POST /connectors/:id/credentials with OAuth 2.0. */
export const initiatedShape = z.strictObject({
  oauthUrl: z.url(),
  credentialId: z.string().regex(/^cred_[0-9a-f]{24}$/),
  /** Keep it in the session of the browser that is sent to `oauthUrl`, and check it when that browser comes back. */
  state: z.string(),
  status: z.literal('pending'),
  connectorId: z.string(),
  userId: z.string(),
  expiresAt: time,
  warnings: z.array(z.string()).optional(),
})
export type InitiatedShape = z.infer<typeof initiatedShape>

/** A connection wherever it is listed or shown: one id under its three names. */
export const connectionShape = z.strictObject({
  id: z.string(),
  connectionId: z.string(),
  credentialId: z.string(),
  connectorId: z.string(),
  integrationId: z.string(),
  integration: z.string(),
  /** `notion-oauth2` */
  type: z.string(),
  name: z.string(),
  userId: z.string(),
  status: z.enum(['connected', 'expired', 'needs_reauth']),
  /** Why it needs the end user, where it does. */
  statusReason: z.string().optional(),
  active: z.boolean(),
  account: z.strictObject({ id: z.string(), name: z.string() }).optional(),
  createdAt: time,
  updatedAt: time,
  /** When the provider last took the credential, as far as the hub knows. */
  lastCheckedAt: time,
  expiresAt: time.optional(),
  /** The newest of its connector in the list. */
  latest: z.boolean(),
})
export type ConnectionShape = z.infer<typeof connectionShape>

/** POST /connectors/:id/credentials/callback, and a credential given as a key. */
export const connectedShape = z.object({
  ...connectionShape.shape,
  status: z.literal('connected'),
  state: z.string().optional(),
  warnings: z.array(z.string()).optional(),
})

export const userShape = z.strictObject({ userId: z.string(), username: z.string(), fullName: z.string() })
export type UserShape = z.infer<typeof userShape>

/** The JWT of an end user; good until `expiresAt`. */
export const tokenShape = z.strictObject({ token: z.string(), expiresAt: time })

/** POST /connectors/:id/actions/:action/execute */
export const executedShape = z.strictObject({
  executionId: z.string(),
  status: z.enum(['completed', 'failed']),
  /** The provider's own. */
  statusCode: z.int(),
  responseData: z.unknown(),
  /** The same: older clients read this. */
  data: z.unknown(),
  warnings: z.array(z.string()).optional(),
})

/** Both shapes at once: one client reads `message` and `code`, another `error.details[].properties`. */
export const errorShape = z.strictObject({
  message: z.string(),
  code: z.string(),
  error: z.strictObject({
    code: z.string(),
    message: z.string(),
    details: z.array(
      z.strictObject({
        properties: z.string(),
        message: z.string(),
        received: z.string().optional(),
        allowed: z.array(z.string()).optional(),
      }),
    ),
    hint: z.string(),
    docs: z.url(),
    requestId: z.string(),
  }),
})
export type ErrorShape = z.infer<typeof errorShape>
