/** ALL /connections/{connection}/proxy/*: any call of a provider's API, with a connection's credential. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import * as z from 'zod'
import { didYouMean } from '../../core/alike.ts'
import { badParameter, MortiseError } from '../../core/errors.ts'
import type { Hub } from '../../core/hub.ts'
import type { GivenHeaders } from '../../core/pass-headers.ts'
import { requireScope } from '../auth.ts'
import { hook } from '../hook.ts'
import { answer, bodyOf, proxied, restOf, untilGone } from '../pass.ts'
import { againIn } from '../pass-again.ts'
import type { Route } from './route.ts'

const named = z.strictObject({
  connection: z.string().min(1).max(300).meta({
    description: 'Its id, or your own name for it where that is unique; percent-encoded',
  }),
  path: z.string().meta({
    description: "Path and query after the definition's `api.base`, as they are to be sent; its slashes stay slashes",
  }),
})

const headers = z.strictObject({
  'Mortise-Retries': z.int().min(0).max(10).optional().meta({
    description:
      'How often more it is tried, whatever its method; without it twice, and only what may be repeated without harm',
  }),
  'Mortise-Retry-On': z
    .string()
    .optional()
    .meta({ description: 'The statuses that are tried again, with commas between them: `429,503`' }),
  'Mortise-Base-Url': z
    .string()
    .optional()
    .meta({ description: 'In place of `api.base`: a URL at a host that the definition names' }),
})

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

/** As the document tells of them; `proxyRoute` serves them, and the further methods that OpenAPI has no word for. */
export const proxyRoutes: readonly Route[] = methods.map(method => ({
  method,
  path: '/connections/{connection}/proxy/{path}',
  id: `proxy${method.slice(0, 1)}${method.slice(1).toLowerCase()}`,
  tag: 'Connections',
  summary: `Make a ${method} call of the provider's API`,
  about:
    "The request goes on with the connection's credential in place of your key, and the provider's status, body and headers come back as they are, without being kept. `Mortise-Answer-From` tells whose an error is. Other methods pass too.",
  scope: 'proxy',
  status: 200,
  fails: [
    'not_found',
    'authorization_denied',
    'session_expired',
    'reauthorization_required',
    'integration_misconfigured',
    'provider_rejected',
    'provider_unavailable',
    'provider_invalid_response',
  ],
  passes: { headers },
  params: named,
  query: undefined,
  body: undefined,
  answer: undefined,
  line: undefined,
  serve: () => Promise.reject(new Error('It is served by proxyRoute.')),
}))

const prefix = /^\/api\/v1\/connections\/[^/?#]+\/proxy\//

export const proxyRoute = async (app: FastifyInstance, hub: Hub): Promise<void> => {
  await app.register(async api => {
    api.removeAllContentTypeParsers()
    api.addContentTypeParser('*', (_request, _payload, done) => done(null))
    api.route<{ Params: { connection: string } }>({
      method: proxied,
      url: '/connections/:connection/proxy/*',
      config: { proxies: true },
      onRequest: hook(request => requireScope(request.caller, 'proxy')),
      handler: async (request, reply) => {
        const signal = untilGone(reply)
        const options = optionsOf(request)
        const rest = restOf(request, prefix)
        if (!rest)
          throw new MortiseError(
            'invalid_request',
            'The path must be /api/v1/connections/<connection>/proxy/…, as it is written here.',
          )
        const sought = { environmentId: request.caller.environmentId, called: request.params.connection }
        const body = await bodyOf(request)
        const given = await hub.proxy(sought, {
          method: request.method,
          ...rest,
          headers: request.headers as GivenHeaders,
          ...(body ? { body } : {}),
          ...options,
          signal,
        })
        await answer(request, reply, given)
        return reply
      },
    })
  })
}

const known = ['mortise-retries', 'mortise-retry-on', 'mortise-base-url']

/** Ours are `Mortise-…`: one that is not known is a mistake. */
const optionsOf = ({ headers }: FastifyRequest) => {
  for (const name in headers)
    if (name.startsWith('mortise-') && !known.includes(name))
      throw badParameter(
        name,
        `${name.slice(0, 80)} is not a header here${didYouMean(name.slice(0, 80), known)}; there are ${known.join(', ')}.`,
      )
  const one = (name: string): string | undefined => {
    const value = headers[name.toLowerCase()]
    return value === undefined ? undefined : String(value)
  }
  const base = one('Mortise-Base-Url')
  return {
    ...againIn({ retries: 'Mortise-Retries', retryOn: 'Mortise-Retry-On' }, one, (name, message) =>
      badParameter(name.toLowerCase(), message),
    ),
    ...(base === undefined ? {} : { base }),
  }
}
