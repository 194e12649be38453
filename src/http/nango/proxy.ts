/** ALL /proxy/*: any call of a provider's API, with the credential of the connection that the headers name. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { MortiseError } from '../../core/errors.ts'
import { toMortiseError } from '../../core/errors.ts'
import type { GivenHeaders } from '../../core/pass-headers.ts'
import { answer, bodyOf, proxied, restOf, untilGone } from '../pass.ts'
import { againIn } from '../pass-again.ts'
import { Refusal } from './errors.ts'
import type { Served } from './served.ts'

const prefix = /^\/proxy\//

export const proxyRoutes = async (app: FastifyInstance, { hub, withKey }: Served): Promise<void> =>
  withKey(app, 'proxy', api => {
    api.removeAllContentTypeParsers()
    api.addContentTypeParser('*', (_request, _payload, done) => done(null))
    api.route({
      method: proxied,
      url: '/proxy/*',
      config: { proxies: true },
      handler: async (request, reply) => {
        const signal = untilGone(reply)
        const decompress = flag(request, 'Decompress')
        const sought = {
          environmentId: request.caller.environmentId,
          integrationKey: named(request, 'Provider-Config-Key'),
          connectionId: named(request, 'Connection-Id'),
        }
        const rest = restOf(request, prefix)
        if (!rest)
          throw new Refusal(400, 'invalid_uri_params', 'The path must begin with /proxy/, as it is written here.')
        const body = await bodyOf(request)
        const given = await hub
          .proxy(sought, {
            method: request.method,
            ...rest,
            headers: callerHeaders(request),
            ...(body ? { body } : {}),
            ...optionsOf(request),
            signal,
          })
          .catch(thrown => Promise.reject(refused(toMortiseError(thrown))))
        await answer(request, reply, given, { decompress })
        return reply
      },
    })
  })

/** A header that a client of this dialect sets. */
const option = (request: FastifyRequest, name: string): string | undefined => {
  const value = request.headers[name.toLowerCase()]
  // Clients send some of them empty.
  return value === undefined || value === '' ? undefined : String(value)
}

const wrong = (name: string, message: string): Refusal =>
  new Refusal(400, 'invalid_headers', message, [{ code: 'custom', message, path: [name] }])

/** What names something. */
const named = (request: FastifyRequest, name: string): string => {
  const value = option(request, name)
  if (value === undefined) throw wrong(name, `The header ${name} is missing.`)
  if (/^[ -~]+$/.test(value)) return value
  // Some clients send UTF-8, and some a byte for each character.
  const decoded = Buffer.from(value, 'latin1').toString()
  const text = decoded.includes('\ufffd') ? value : decoded
  if (/\p{Cc}/u.test(text)) throw wrong(name, `The header ${name} must have no control character.`)
  return text
}

const flag = (request: FastifyRequest, name: string): boolean => {
  const value = option(request, name)
  if (value !== undefined && value !== 'true' && value !== 'false') throw wrong(name, `${name} must be true or false.`)
  return value === 'true'
}

const optionsOf = (request: FastifyRequest) => {
  const base = option(request, 'Base-Url-Override')
  return {
    ...againIn({ retries: 'Retries', retryOn: 'Retry-On' }, name => option(request, name), wrong),
    ...(base === undefined ? {} : { base }),
    forwardHeaders: flag(request, 'Forward-Headers-On-Redirect'),
  }
}

/** Of this dialect, and never sent on. */
const own = new Set([
  'base-url-override',
  'connection-id',
  'decompress',
  'forward-headers-on-redirect',
  'provider-config-key',
  'retries',
  'retry-on',
])
const custom = 'nango-proxy-'

/** The caller's headers for the provider: the prefixed ones of current clients, and whatever the others send as it is. */
const callerHeaders = ({ headers }: FastifyRequest): GivenHeaders => {
  const plain: Record<string, string | readonly string[] | undefined> = {}
  const chosen: Record<string, string | readonly string[] | undefined> = {}
  for (const name in headers)
    if (name.startsWith(custom)) chosen[name.slice(custom.length)] = headers[name]
    else if (!own.has(name) && !name.startsWith('nango-')) plain[name] = headers[name]
  return Object.assign(plain, chosen)
}

/** As this dialect says it; an outage has the statuses of a gateway. */
const refused = (error: MortiseError): unknown => {
  const { code, message, details } = error
  if (code === 'provider_unavailable')
    return new Refusal(details.reason === 'provider_slow' ? 504 : 502, code, message, [], undefined, details)
  if (code === 'provider_invalid_response') return new Refusal(502, code, message, [], undefined, details)
  if (details.reason === 'connection_unknown')
    return new Refusal(400, 'server_error', `Failed to get connection. ${message}`)
  return error
}
