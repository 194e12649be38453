/** One connection: its id under both its names, how it stands, and how it is used. Never its token. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { accountKeyOf, type Connection, mergedMetadata, shownId } from '../../core/connection.ts'
import type { CredentialKind } from '../../core/credential.ts'
import type { MortiseError } from '../../core/errors.ts'
import { findConnection } from '../../core/find.ts'
import { faultOf } from '../../core/json-schema.ts'
import { merge, mergeable } from '../../core/merge.ts'
import { forBrowsers } from '../asks.ts'
import { copyable, type Html, html } from '../html.ts'
import { inShell, keyHeader, quoted } from '../pages.ts'
import { endUserName, latestMark, shown, statusText } from './connections.ts'
import { action, attempt, confirmed, formOf, mayNot, type Pages, table, textIn, time } from './frame.ts'

type ById = { Params: { id: string } }

const pathOf = (id: string): string => `/connections/${encodeURIComponent(id)}`

const anybodys = 'with the public key alone: anybody may have begun it'

/** Of the others that may be merged. */
const most = 100

const kinds: Record<CredentialKind, string> = {
  oauth2: 'OAuth 2.0',
  oauth1: 'OAuth 1.0a',
  apiKey: 'API key',
  bearer: 'bearer token',
  basic: 'user and password',
}

export const connectionPage = (app: FastifyInstance, pages: Pages): void => {
  const { hub } = pages
  const { storage, clock, log, publicUrl } = hub.context
  const find = (request: FastifyRequest<ById>, id = request.params.id) =>
    findConnection(hub.context, request.caller.environmentId, id)

  /** `note`: what was just done with it. */
  const show = async (
    request: FastifyRequest<ById>,
    reply: FastifyReply,
    { problem, note }: { problem?: MortiseError; note?: string } = {},
  ): Promise<FastifyReply> => {
    const row = await find(request)
    const { scopes } = request.caller
    const { environmentId, integrationKey } = row
    const others = await mergeable(hub.context, row)
    const { id, name, status, provider, account } = shown(hub, row)
    const latest = (await storage.newest(environmentId, [row.id], hub.context.dev ? 'all' : 'proven')).has(row.id)
    const user = row.endUserId === '' ? undefined : await storage.endUser(environmentId, { id: row.endUserId })
    const header = keyHeader(!(await pages.keyless()))
    const path = pathOf(id)
    const facts: (readonly [term: string, text: string | Html | undefined])[] = [
      ['Status', html`${statusText(row, status)}<br>${toDo(row, status)}`],
      ['Integration', integrationKey === row.provider ? provider : html`${integrationKey} (${provider})`],
      ['Account', account ?? 'The provider did not say whose it is.'],
      ['End user', endUserName(row, user)],
      ['Credential', kinds[row.kind]],
      ...(isAnybodys(row) ? [['Begun', anybodys] as const] : []),
      ['Scopes', row.scopes === undefined ? 'The provider did not say.' : row.scopes.join(' ') || 'none'],
      ['Created', time(row.createdAt)],
      ['Changed', time(row.updatedAt)],
      ['Credential obtained', time(row.obtainedAt)],
      ...(row.checkedAt ? [['Last found to work', time(row.checkedAt)] as const] : []),
      ['Token expires', row.expiresAt ? time(row.expiresAt) : 'the provider gave no expiry'],
    ]
    return pages.send(request, reply, {
      place: '/connections',
      title: name,
      problem,
      body: html`<h1>${name}${latest ? latestMark : undefined}</h1>
${note === undefined ? undefined : html`<p class="done" role="status">${note}</p>`}
${copyable('Connection ID', id)}
${copyable('Credential ID (the same id, under its other name)', id)}
${copyable('For your .env file', `CONNECTION_ID=${quoted(id)}`)}
${row.connectionId === id ? undefined : copyable("Your app's own id for it (connection_id of the Connections API)", row.connectionId)}
<dl>${facts.map(([term, text]) => html`<dt>${term}</dt><dd>${text}</dd>\n`)}</dl>
<h2>Does it work?</h2>
<p>The hub asks ${provider} with the credential, and renews that first if it is due.</p>
${scopes.has('proxy') ? action(`${path}/test`, 'Test it') : mayNot('proxy')}
<h2>Use it</h2>
${copyable(
  'Read a working token (credentials.access_token in the answer)',
  `curl${header} "${publicUrl}/connection/${inShell(row.connectionId)}?provider_config_key=${inShell(integrationKey)}"`,
)}
${act(row, id, header)}
${text('Metadata', 'What your app set, and what the flow learned of the account.', mergedMetadata(row))}
${text('connection_config', 'What the connection was begun with.', row.config)}
${others.length === 0 ? undefined : merging(others, path, scopes.has('connections:write'))}
<h2>Delete it</h2>
${
  scopes.has('connections:write')
    ? confirmed(
        'Delete this connection…',
        html`The hub forgets its credential, at once and for good, and every call with its id fails. ${provider} is not told: the end user may take the permission back there too. Whoever connects the account again gets a new id.`,
        action(`${path}/delete`, 'Delete', {}, `Delete the connection ${id}`),
      )
    : mayNot('connections:write')
}`,
    })
  }
  const page = { ...pages.may('connections:read'), constraints: forBrowsers }
  app.get<ById>('/connections/:id', page, (request, reply) => show(request, reply))

  app.post<ById>('/connections/:id/test', pages.may('proxy'), (request, reply) =>
    attempt(
      request,
      async () => {
        const row = await find(request)
        const asked = (await hub.test(row)).checkedAt?.getTime() !== row.checkedAt?.getTime()
        const note = asked ? 'Works: checked just now' : 'As good as the hub knows: this provider gives no way to ask'
        // Whoever may use it, but not see it.
        if (!request.caller.scopes.has('connections:read'))
          return pages.send(request, reply, { place: '/connections', title: 'Works', body: html`<h1>${note}</h1>` })
        return show(request, reply, { note })
      },
      problem => show(request, reply, { problem }),
      'connections:read',
    ),
  )

  app.post<ById>('/connections/:id/merge', pages.may('connections:write'), (request, reply) =>
    attempt(
      request,
      async () => {
        const into = await find(request)
        const from = await find(request, textIn(formOf(request), 'from'))
        // A page that is loaded again sends its form again: by then the one is the other.
        if (from.id !== into.id) await merge(hub.context, from, into)
        return reply.redirect(pathOf(shownId(into)), 303)
      },
      problem => show(request, reply, { problem }),
      'connections:read',
    ),
  )

  app.post<ById>('/connections/:id/delete', pages.may('connections:write'), async (request, reply) => {
    const row = await find(request)
    await storage.deleteConnection(row.environmentId, row.id, clock.now())
    log.info('deleted', { provider: row.provider, id: row.id })
    return reply.redirect('/connections', 303)
  })

  /** In dev, everybody is on this machine. */
  const isAnybodys = (row: Connection): boolean => row.trust === 'public' && !hub.context.dev

  const merging = (others: readonly Connection[], path: string, writes: boolean): Html => {
    const line = (other: Connection): Html => {
      const { id, name, account } = shown(hub, other)
      const form = confirmed(
        'Merge into this one…',
        html`Its credential is deleted, at once and for good. Its id keeps answering, with this connection. Make sure that both are of the same account.`,
        action(`${path}/merge`, 'Merge', { from: id }, `Merge ${id} into this one`),
      )
      return html`<td><a href="${pathOf(id)}">${name}</a><br><code>${id}</code>${isAnybodys(other) ? html`<br><span class="quiet">begun ${anybodys}</span>` : undefined}</td><td>${account ?? '–'}</td><td>${time(other.createdAt)}</td>${writes ? html`<td>${form}</td>` : undefined}`
    }
    return html`<h2>Other connections of this end user</h2>
<p>Through the same integration. Where two are of one account, keep one and merge the other into it.</p>
${table('Other connections of this end user', ['Name and id', 'Account', 'Created', ...(writes ? ['Merge'] : [])], others.slice(0, most).map(line))}
${others.length > most ? html`<p class="quiet">These are the newest ${most} of ${others.length}.</p>` : undefined}
${writes ? undefined : mayNot('connections:write')}`
  }

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
