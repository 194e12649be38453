/** Where a page of the dashboard and a route of an API have the same path: who asks decides which of them answers. */
import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyServerOptions } from 'fastify'

/** A browser that opens a page says that it wants HTML. It never sends a Bearer key, which some programs do that say so too. */
const asksForPage = ({ accept, authorization = '' }: IncomingHttpHeaders): boolean =>
  accept?.includes('text/html') === true && !/^bearer\s/i.test(authorization)

type Constraints = NonNullable<NonNullable<FastifyServerOptions['routerOptions']>['constraints']>
type Handler = Parameters<ReturnType<Constraints[string]['storage']>['set']>[1]

/** As a constraint of the router. A route that carries neither answers everyone. */
export const constraints: Constraints = {
  asks: {
    name: 'asks',
    storage() {
      const handlers = new Map<string, Handler>()
      return {
        get: asker => handlers.get(asker) ?? null,
        set(asker, handler) {
          handlers.set(asker, handler)
        },
      }
    },
    deriveConstraint: ({ headers }) => (asksForPage(headers) ? 'browser' : 'program'),
    mustMatchWhenDerived: false,
  },
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A route for programs alone, at the path of a page. */
    program?: boolean
  }
}

export const forBrowsers = { asks: 'browser' }
export const forPrograms = { asks: 'program' }
