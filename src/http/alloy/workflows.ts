/**
 * Workflows, which this hub has none of: lists are empty, and what acts on one is refused with the sentence that says so.
 * Unified models, likewise.
 */
import type { FastifyInstance } from 'fastify'
import { MortiseError } from '../../core/errors.ts'
import type { Served } from './served.ts'

type ByUser = { Params: { user: string } }

const none = 'This hub connects accounts and runs no workflows, events or installations'

export const noWorkflow = (): MortiseError =>
  new MortiseError(
    'not_found',
    `${none}, so there is nothing here to act on. Call the provider through a connection: POST /connectors/{id}/actions/{action}/execute, or POST /passthrough.`,
  )

export const workflowRoutes = (app: FastifyInstance, served: Served): void => {
  const reading = { preHandler: served.may('connections:read') }
  const writing = { preHandler: served.may('connections:write') }

  // GET /workflows is a page's, too: see page-calls.ts.
  for (const path of ['/events', '/installations'])
    app.get(path, reading, async request => {
      await served.named(request, undefined, {})
      return { data: [] }
    })
  for (const url of ['/workflows/*', '/events/*', '/installations/*', '/run/*'])
    app.route({
      method: ['GET', 'POST', 'PUT', 'DELETE'],
      url,
      ...reading,
      handler: () => Promise.reject(noWorkflow()),
    })
  for (const verb of ['startInstallation', 'editInstallation', 'completeInstallation'])
    app.post(`/headless/${verb}`, reading, () => Promise.reject(noWorkflow()))

  // All of none is done at once; the user must be there.
  app.put<ByUser>('/users/:user/deactivate-workflows', writing, async request => {
    await served.user(request, request.params.user, {})
    return { success: true, message: `${none}: there was none to deactivate.` }
  })
  app.delete<ByUser>('/users/:user/logs', writing, async request => {
    await served.user(request, request.params.user, {})
    return { success: true, message: `${none}, and keeps no logs of them.` }
  })

  app.route({
    method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    url: '/one/*',
    ...reading,
    handler() {
      throw new MortiseError(
        'not_found',
        'Unified models (/one/crm, /one/commerce, …) are not served: providers are called in their own words, by POST /connectors/{id}/actions/{action}/execute or POST /passthrough. Webhooks are subscribed to at this hub: /docs/webhooks.',
      )
    },
  })
}
