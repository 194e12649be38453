/** Where a page of the dashboard and a route of an API, or routes of two APIs, have the same path: who asks decides which answers. */
import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyServerOptions } from 'fastify'

/** A browser that opens a page says that it wants HTML. It never sends a Bearer key, which some programs do that say so too. */
const asksForPage = ({ accept, authorization = '' }: IncomingHttpHeaders): boolean =>
  accept?.includes('text/html') === true && !/^bearer\s/i.test(authorization)

type Constraints = NonNullable<NonNullable<FastifyServerOptions['routerOptions']>['constraints']>
type Handler = Parameters<ReturnType<Constraints[string]['storage']>['set']>[1]

/** Clients of the one API name its version, which others do not have; a page of its client sends the JWT of its user. */
const namesVersion = (headers: IncomingHttpHeaders): boolean =>
  headers['x-api-version'] !== undefined || headers['x-alloy-user-token'] !== undefined

/** As constraints of the router. A route that carries none answers everyone. */
const constraint = (name: string, derived: (headers: IncomingHttpHeaders) => string): Constraints[string] => ({
  name,
  storage() {
    const handlers = new Map<string, Handler>()
    return {
      get: asker => handlers.get(asker) ?? null,
      set(asker, handler) {
        handlers.set(asker, handler)
      },
    }
  },
  deriveConstraint: ({ headers }) => derived(headers),
  mustMatchWhenDerived: false,
})

export const constraints: Constraints = {
  asks: constraint('asks', headers => (asksForPage(headers) ? 'browser' : 'program')),
  version: constraint('version', headers => (namesVersion(headers) ? 'named' : 'none')),
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A route for programs alone, at the path of a page. */
    program?: boolean
  }
}

export const forBrowsers = { asks: 'browser' }
export const forPrograms = { asks: 'program' }
export const withVersion = { version: 'named' }
