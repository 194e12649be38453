/** The link of a connect session, and how its flow returns to the app. */
import type { FastifyInstance } from 'fastify'
import type { Outcome } from '../../core/attempt.ts'
import type { Hub } from '../../core/hub.ts'
import type { Concluded } from '../../core/open-session.ts'
import type { Access } from '../auth.ts'
import { openLink } from '../link.ts'

/** The name under which sessions and attempts of our own API are kept. */
export const dialect = 'own'

/** Opened by the end user's browser. */
export const startPath = '/start'

export const linkOf = (publicUrl: string, token: string): string =>
  `${publicUrl}${startPath}?${new URLSearchParams({ token })}`

/** What the hub adds to `returnTo`; a URL that carries one of these already would be ambiguous. */
export const returnParameters = ['session', 'status', 'error']

/** The URL that a finished flow returns to: its own query as it was, ours after it. */
export const toReturn = (returnTo: string, outcome: Outcome, concluded: Concluded | undefined): string => {
  const added = new URLSearchParams(
    outcome.ok ? { status: 'connected' } : { status: 'failed', error: outcome.reason ?? outcome.code },
  )
  if (concluded) added.set('session', concluded.session.id)
  return `${returnTo}${returnTo.includes('?') ? '&' : '?'}${added}`
}

export const startPage = (app: FastifyInstance, hub: Hub, access: Access): void => {
  app.get(startPath, (request, reply) => openLink(hub, access, toReturn, request, reply))
}
