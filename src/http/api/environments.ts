/** The tenant that a key belongs to, and the hub's other ones. */
import * as z from 'zod'
import { type Environment, usualScopes } from '../../core/environment.ts'
import type { Hub } from '../../core/hub.ts'
import { addEnvironment, addKey, normaliseAllowed } from '../../core/setup.ts'
import { toKey } from './map.ts'
import { pageOf, paging } from './page.ts'
import { route } from './route.ts'
import {
  type EnvironmentShape,
  environmentChange,
  environmentList,
  environmentShape,
  madeEnvironment,
  newEnvironment,
} from './shapes.ts'

const shown = async ({ context }: Hub, environment: Environment): Promise<EnvironmentShape> => ({
  name: environment.name,
  publicKey: environment.publicKey,
  hmacRequired: environment.hmacKey !== undefined,
  allowedRedirects: await context.storage.allowed(environment.id, 'redirect'),
  allowedOrigins: await context.storage.allowed(environment.id, 'origin'),
  redirectUri: context.redirectUri,
  createdAt: environment.createdAt.toISOString(),
})

export const environmentRoutes = [
  route({
    method: 'GET',
    path: '/environment',
    id: 'getEnvironment',
    tag: 'Environment',
    summary: "Show the key's environment",
    scope: 'integrations:read',
    status: 200,
    answer: environmentShape,
    work: ({ hub, environment }) => shown(hub, environment),
  }),
  route({
    method: 'PATCH',
    path: '/environment',
    id: 'changeEnvironment',
    tag: 'Environment',
    summary: 'Change its allow-lists',
    about: 'Each list that is sent takes the place of the one before. An HMAC is switched by `mortise env hmac`.',
    scope: 'integrations:write',
    status: 200,
    body: environmentChange,
    answer: environmentShape,
    async work({ hub, environment, body }) {
      const { storage } = hub.context
      const lists = [
        ['redirect', body.allowedRedirects],
        ['origin', body.allowedOrigins],
      ] as const
      // All are looked at before one is changed.
      const wanted = lists.map(([kind, urls]) => [kind, urls?.map(url => normaliseAllowed(kind, url))] as const)
      for (const [kind, urls] of wanted) {
        if (urls === undefined) continue
        for (const url of await storage.allowed(environment.id, kind))
          if (!urls.includes(url)) await storage.disallow(environment.id, kind, url)
        for (const url of urls) await storage.allow(environment.id, kind, url)
      }
      return shown(hub, environment)
    },
  }),
  route({
    method: 'GET',
    path: '/environments',
    id: 'listEnvironments',
    tag: 'Environment',
    summary: 'List all environments of the hub',
    about: 'Their names only: what is in an environment is seen with a key of its own.',
    scope: 'admin',
    status: 200,
    query: z.strictObject(paging),
    answer: environmentList,
    async work({ hub, query }) {
      const page = pageOf(await hub.context.storage.environments(), each => each.name, query)
      const data = page.data.map(({ name, createdAt }) => ({ name, createdAt: createdAt.toISOString() }))
      return { data, next: page.next }
    },
  }),
  route({
    method: 'POST',
    path: '/environments',
    id: 'addEnvironment',
    tag: 'Environment',
    summary: 'Make an environment, with its first key',
    about: 'The answer holds a key to it, shown this once; your own key does not reach into it.',
    scope: 'admin',
    status: 201,
    fails: ['conflict'],
    body: newEnvironment,
    answer: madeEnvironment,
    async work({ hub, caller, body }) {
      const { context } = hub
      const made = await addEnvironment(context, body.name)
      const granted = usualScopes.filter(scope => caller.scopes.has(scope))
      const { key, secret } = await addKey(context, made, 'first', granted)
      context.log.info('made an environment', { name: made.name, by: caller.id })
      return {
        name: made.name,
        publicKey: made.publicKey,
        createdAt: made.createdAt.toISOString(),
        key: { ...toKey(key), secret: secret.reveal() },
      }
    },
  }),
]
