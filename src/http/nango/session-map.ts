/** A connect session: wire ↔ core. Pure. */
import * as z from 'zod'
import type { EndUser } from '../../core/end-user.ts'
import type { Choice, ConnectSession, Fixed } from '../../core/session.ts'
import { personTags, type Tags, toTags } from '../../core/tags.ts'
import type { Told } from '../../core/users.ts'
import type { ConnectSessionShape } from './shapes.ts'

const texts = z.record(z.string(), z.string())
const short = z.string().min(1).max(255)
const endUser = z.strictObject({
  id: short,
  email: z.email().max(255).optional(),
  display_name: short.optional(),
  tags: texts.optional(),
})
const common = {
  end_user: endUser.optional(),
  organization: z.strictObject({ id: short, display_name: short.optional() }).optional(),
  integrations_config_defaults: z
    .record(
      z.string(),
      z.strictObject({
        user_scopes: z.string().optional(),
        authorization_params: texts.optional(),
        connection_config: texts.optional(),
      }),
    )
    .optional(),
  overrides: z
    .record(z.string(), z.strictObject({ docs_connect: z.url({ protocol: /^https?$/ }).optional() }))
    .optional(),
  tags: texts.optional(),
  webhook_url_override: z
    .url({ protocol: /^https?$/ })
    .max(2000)
    .optional(),
}

/** POST /connect/sessions */
export const newSession = z.strictObject({ ...common, allowed_integrations: z.array(z.string()).max(1000).optional() })
/** POST /connect/sessions/reconnect */
export const newReconnect = z.strictObject({ ...common, connection_id: short, integration_id: short })

export type SessionBody = z.infer<typeof newSession> | z.infer<typeof newReconnect>

/** What is told of the end user; undefined where the session is for nobody in particular. */
export const toTold = ({ end_user: user, organization }: SessionBody): Told | undefined =>
  user && {
    username: user.id,
    ...(user.display_name === undefined ? {} : { fullName: user.display_name }),
    ...(user.email === undefined ? {} : { email: user.email }),
    ...(user.tags === undefined ? {} : { tags: user.tags }),
    ...(organization === undefined
      ? {}
      : {
          organization: {
            id: organization.id,
            ...(organization.display_name === undefined ? {} : { name: organization.display_name }),
          },
        }),
  }

const words = (text: string): string[] => text.split(/[ ,]+/).filter(Boolean)

/** What the session fixes, by integration. A parameter whose value is `undefined` is to go. */
export const toFixed = (body: SessionBody): Record<string, Fixed> => {
  const defaults = new Map(Object.entries(body.integrations_config_defaults ?? {}))
  const docs = new Map(Object.entries(body.overrides ?? {}))
  const keys = [...new Set([...defaults.keys(), ...docs.keys()])]
  return Object.fromEntries(
    keys.map((key): [string, Fixed] => {
      const {
        user_scopes: userScopes,
        authorization_params: added,
        connection_config: config,
      } = defaults.get(key) ?? {}
      const { oauth_scopes_override: scopes, ...params } = config ?? {}
      const page = docs.get(key)?.docs_connect
      return [
        key,
        {
          ...(config === undefined ? {} : { params }),
          ...(scopes === undefined ? {} : { scopes: words(scopes) }),
          ...(userScopes === undefined ? {} : { userScopes: words(userScopes) }),
          ...(added === undefined
            ? {}
            : {
                authorizationParams: Object.fromEntries(
                  Object.entries(added).map(([name, value]) => [name, value === 'undefined' ? null : value]),
                ),
              }),
          ...(page === undefined ? {} : { docs: page }),
        },
      ]
    }),
  )
}

/** What the connections of the session are tagged with: who the end user is, and what the app says. */
export const tagsOf = (body: SessionBody, user: EndUser | undefined): Tags => ({
  ...(user ? personTags(user) : {}),
  ...toTags(body.tags ?? {}),
})

const toDefaults = ({ params, scopes, userScopes, authorizationParams: added }: Fixed) => ({
  ...(userScopes === undefined ? {} : { user_scopes: userScopes.join(',') }),
  ...(added === undefined
    ? {}
    : {
        authorization_params: Object.fromEntries(
          Object.entries(added).map(([name, value]) => [name, value ?? 'undefined']),
        ),
      }),
  ...(params === undefined
    ? {}
    : {
        connection_config: { ...params, ...(scopes === undefined ? {} : { oauth_scopes_override: scopes.join(',') }) },
      }),
})

const toEndUser = (user: EndUser) => ({
  id: user.username,
  display_name: user.fullName ?? null,
  email: user.email ?? null,
  tags: user.tags ?? null,
  organization: user.organization ? { id: user.organization.id, display_name: user.organization.name ?? null } : null,
})

/** What a page that has the token may know of the session. */
export const toSession = (session: ConnectSession, user: EndUser | undefined): ConnectSessionShape => {
  const { allowed, fixed }: Pick<Choice, 'allowed' | 'fixed'> = session.choice ?? { fixed: {} }
  const entries = Object.entries(fixed)
  const defaults = entries
    .map(([key, each]) => [key, toDefaults(each)] as const)
    .filter(([, each]) => Object.keys(each).length > 0)
  const docs = entries.filter(([, each]) => each.docs !== undefined)
  return {
    data: {
      endUser: user ? toEndUser(user) : null,
      // The hub's own page has no settings of the operator's; the vendor's own page reads these.
      connectUISettings: {
        showWatermark: false,
        defaultTheme: 'system',
        theme: { light: { primary: '#1a5fb4' }, dark: { primary: '#99c1f1' } },
      },
      ...(allowed ? { allowed_integrations: [...allowed] } : {}),
      ...(defaults.length > 0 ? { integrations_config_defaults: Object.fromEntries(defaults) } : {}),
      ...(docs.length > 0
        ? { overrides: Object.fromEntries(docs.map(([key, each]) => [key, { docs_connect: each.docs ?? '' }])) }
        : {}),
      ...(session.repairs === undefined ? {} : { isReconnecting: true }),
      websocketsPath: '/',
    },
  }
}
