/** One connection: its id under both its names, how it stands, and how it is used. Never its token. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { accountKeyOf, type Connection, mergedMetadata } from '../../core/connection.ts'
import type { CredentialKind } from '../../core/credential.ts'
import { findConnection } from '../../core/find.ts'
import { faultOf } from '../../core/json-schema.ts'
import { latestOf } from '../alloy/map.ts'
import { copyable, type Html, html } from '../html.ts'
import { inShell, keyHeader, quoted } from '../pages.ts'
import { endUserName, latestMark, shown, statusText } from './connections.ts'
import { action, confirmed, mayNot, type Pages, time } from './frame.ts'

type ById = { Params: { id: string } }

const kinds: Record<CredentialKind, string> = {
  oauth2: 'OAuth 2.0',
  apiKey: 'API key',
  bearer: 'bearer token',
  basic: 'user and password',
}

export const connectionPage = (app: FastifyInstance, pages: Pages): void => {
  const { hub } = pages
  const { storage, clock, log, publicUrl } = hub.context
  const find = (request: FastifyRequest<ById>) =>
    findConnection(hub.context, request.caller.environmentId, request.params.id)

  app.get<ById>('/connections/:id', pages.may('connections:read'), async (request, reply) => {
    const row = await find(request)
    const { environmentId, integrationKey } = row
    const { id, name, status, provider, account } = shown(hub, row)
    const latest = latestOf(await storage.connections(environmentId, { integrationKey })).has(row.id)
    const user = row.endUserId === '' ? undefined : await storage.endUser(environmentId, { id: row.endUserId })
    const names = new Map(user ? [[user.id, user.username]] : [])
    const header = keyHeader(!(await pages.keyless()))
    const facts: [term: string, text: string | Html | undefined][] = [
      ['Status', html`${statusText(row, status)}<br>${toDo(row, status)}`],
      ['Integration', integrationKey === row.provider ? provider : html`${integrationKey} (${provider})`],
      ['Account', account ?? 'The provider did not say whose it is.'],
      ['End user', endUserName(row, names)],
      ['Credential', kinds[row.kind]],
      ['Scopes', row.scopes === undefined ? 'The provider did not say.' : row.scopes.join(' ') || 'none'],
      ['Created', time(row.createdAt)],
      ['Changed', time(row.updatedAt)],
      ['Credential obtained', time(row.obtainedAt)],
      ['Token expires', row.expiresAt ? time(row.expiresAt) : 'the provider gave no expiry'],
    ]
    return pages.send(request, reply, {
      place: '/connections',
      title: name,
      body: html`<h1>${name}${latest ? latestMark : undefined}</h1>
${copyable('Connection ID', id)}
${copyable('Credential ID (the same id, under its other name)', id)}
${copyable('For your .env file', `CONNECTION_ID=${quoted(id)}`)}
${row.connectionId === id ? undefined : copyable("Your app's own id for it (connection_id of the Connections API)", row.connectionId)}
<dl>${facts.map(([term, text]) => html`<dt>${term}</dt><dd>${text}</dd>\n`)}</dl>
<h2>Use it</h2>
${copyable(
  'Read a working token (credentials.access_token in the answer)',
  `curl${header} "${publicUrl}/connection/${inShell(row.connectionId)}?provider_config_key=${inShell(integrationKey)}"`,
)}
${act(row, id, header)}
${text('Metadata', 'What your app set, and what the flow learned of the account.', mergedMetadata(row))}
${text('connection_config', 'What the connection was begun with.', row.config)}
<h2>Delete it</h2>
${
  request.caller.scopes.has('connections:write')
    ? confirmed(
        'Delete this connection…',
        html`The hub forgets its credential, at once and for good, and every call with its id fails. ${provider} is not told: the end user may take the permission back there too. Whoever connects the account again gets a new id.`,
        action(`/connections/${encodeURIComponent(id)}/delete`, 'Delete', {}, `Delete the connection ${id}`),
      )
    : mayNot('connections:write')
}`,
    })
  })

  app.post<ById>('/connections/:id/delete', pages.may('connections:write'), async (request, reply) => {
    const row = await find(request)
    await storage.deleteConnection(row.environmentId, row.id, clock.now())
    log.info('deleted', { provider: row.provider, id: row.id })
    return reply.redirect('/connections', 303)
  })

  /** A call that needs no more than the connection. */
  const act = (row: Connection, id: string, header: string): Html => {
    const plain = hub.context.catalogue
      .actions(row.provider)
      .find(each => !each.parameters.some(parameter => parameter.required) && !(each.body && faultOf(each.body, {})))
    if (!plain)
      return html`<p>The hub knows no actions of this provider yet: call its API yourself, with the token. Ask for the token anew each time, so that it is a living one.</p>`
    const path = `/connectors/${inShell(row.integrationKey)}/actions/${inShell(plain.id)}/execute`
    return copyable(
      `Act with it (${plain.title}); the hub adds the credential`,
      `curl -X POST${header} -H "Content-Type: application/json" -d '${JSON.stringify({ credentialId: id })}' "${publicUrl}${path}"`,
    )
  }
}

const toDo = (row: Connection, status: 'connected' | 'expired' | 'needs_reauth'): string =>
  status === 'connected'
    ? row.renewal === undefined
      ? 'Nothing to do.'
      : 'Nothing to do: the hub renews the token when it is due.'
    : status === 'expired'
      ? `The hub has nothing to renew it with: the end user connects the same account again${idStays(row)}.`
      : `Only the end user can mend it, by connecting the same account again${idStays(row)}.`

/** The same account is known to be the same only where the provider names it. */
const idStays = (row: Connection): string => (accountKeyOf(row.account) === undefined ? '' : '; the id stays')

const text = (title: string, what: string, value: object): Html | undefined =>
  Object.keys(value).length === 0
    ? undefined
    : html`<h2>${title}</h2>
<p>${what}</p>
<pre tabindex="0">${JSON.stringify(value, null, 2)}</pre>`
