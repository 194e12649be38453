/** Secret keys. A key makes and ends keys that may do what it may itself, and no more. */
import * as z from 'zod'
import { usualScopes } from '../../core/environment.ts'
import { MortiseError } from '../../core/errors.ts'
import { addKey, keysOf } from '../../core/setup.ts'
import { requireScope } from '../auth.ts'
import { toKey } from './map.ts'
import { pageOf, paging } from './page.ts'
import { route } from './route.ts'
import { keyList, keyShape, madeKey, newKey } from './shapes.ts'

export const keyRoutes = [
  route({
    method: 'GET',
    path: '/keys',
    id: 'listKeys',
    tag: 'Keys',
    summary: 'List the keys, revoked ones too',
    about: 'Never the keys themselves.',
    scope: 'integrations:read',
    status: 200,
    query: z.strictObject(paging),
    answer: keyList,
    async work({ hub, environment, query }) {
      const { data, next } = pageOf(await keysOf(hub.context, environment), each => each.id, query)
      return { data: data.map(toKey), next }
    },
  }),
  route({
    method: 'POST',
    path: '/keys',
    id: 'addKey',
    tag: 'Keys',
    summary: 'Make a key',
    about: 'The first key of a hub that had none ends the mode without a key: from then on every call needs one.',
    scope: 'integrations:write',
    status: 201,
    body: newKey,
    answer: madeKey,
    async work({ hub, caller, environment, body }) {
      const granted = body.scopes ?? usualScopes.filter(scope => caller.scopes.has(scope))
      for (const scope of granted) requireScope(caller, scope)
      const { key, secret } = await addKey(hub.context, environment, body.name, granted)
      hub.context.log.info('made a key', { id: key.id, by: caller.id })
      return { ...toKey(key), secret: secret.reveal() }
    },
  }),
  route({
    method: 'DELETE',
    path: '/keys/{id}',
    id: 'revokeKey',
    tag: 'Keys',
    summary: 'Revoke a key',
    about: 'At once and for good. It stays in the list, with the time.',
    scope: 'integrations:write',
    status: 200,
    fails: ['not_found'],
    params: z.strictObject({ id: z.string().meta({ description: 'The id of the key, as the list shows it' }) }),
    answer: keyShape,
    async work({ hub, caller, environment, params }) {
      const { storage, clock, log } = hub.context
      const at = clock.now()
      const key = (await keysOf(hub.context, environment)).find(each => each.id === params.id)
      if (key?.revokedAt === undefined) for (const scope of key?.scopes ?? []) requireScope(caller, scope)
      if (!key || !(await storage.revokeKey(environment.id, key.id, at)))
        throw new MortiseError(
          'not_found',
          `The environment "${environment.name}" has no living key with the id ${params.id.slice(0, 80)}. GET /api/v1/keys lists them.`,
        )
      log.info('revoked a key', { id: key.id, by: caller.id })
      return toKey({ ...key, revokedAt: at })
    },
  }),
]
