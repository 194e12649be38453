/** The hub's own start page of a flow that an app began: `oauthUrl` leads here. */
import type { FastifyInstance } from 'fastify'
import type { Hub } from '../../core/hub.ts'
import type { Access } from '../auth.ts'
import { openLink } from '../link.ts'
import { toReturn } from './map.ts'

export const startPage = (app: FastifyInstance, hub: Hub, access: Access): void => {
  app.get('/api/strategy/connector/:connector/authorize', (request, reply) =>
    openLink(hub, access, toReturn, request, reply),
  )
}
