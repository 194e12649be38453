/** Connections: all of the environment, newest first. */
import type { FastifyInstance } from 'fastify'
import { accountLabel, type Connection, type ListedConnection, shownId } from '../../core/connection.ts'
import { type EndUser, me } from '../../core/end-user.ts'
import { badParameter } from '../../core/errors.ts'
import type { Hub } from '../../core/hub.ts'
import { latestOf, toConnection } from '../alloy/map.ts'
import { copyable, type Html, html } from '../html.ts'
import { inShell, keyHeader } from '../pages.ts'
import { queryOf } from '../query.ts'
import { type Pages, table, time } from './frame.ts'

/** On one page. */
const most = 100

/** A row as these pages show it. */
export const shown = (hub: Hub, row: Connection | ListedConnection) => {
  const provider = hub.context.catalogue.get(row.provider)?.name ?? row.provider
  const { name, status } = toConnection(row, { now: hub.context.clock.now(), provider, latest: false })
  return { id: shownId(row), name, status, provider, account: row.account ? accountLabel(row.account) : undefined }
}

const statusWords = {
  connected: html`<span class="good">connected</span>`,
  expired: html`<span class="bad">token expired</span>`,
  needs_reauth: html`<span class="bad">must be connected again</span>`,
}
export const statusText = (row: Pick<Connection, 'statusReason'>, status: keyof typeof statusWords): Html =>
  html`${statusWords[status]}${row.statusReason === undefined ? undefined : html`: ${row.statusReason}`}`

/** The newest of its end user and integration, as the API says it. */
export const latestMark = html` <span class="latest">⭐ Latest</span>`

export const endUserName = (row: Pick<Connection, 'endUserId'>, user: EndUser | undefined): string =>
  row.endUserId === '' ? me : (user?.username ?? row.endUserId)

/** What is asked of the list. Each link to another page of it keeps that. */
interface Asked {
  readonly integration: string
  readonly search: string
  /** From 1. */
  readonly page: number
}

const askedIn = (query: URLSearchParams): Asked => {
  const search = (query.get('search') ?? '').trim()
  if (search.length > 255 || /\p{Cc}/u.test(search))
    throw badParameter('search', 'Search for a text of at most 255 characters, without control characters.')
  const page = Math.trunc(Number(query.get('page'))) || 1
  return { integration: query.get('integration') ?? '', search, page: Math.min(Math.max(1, page), 1_000_000) }
}

const linkTo = ({ integration, search, page }: Asked): string =>
  `/connections?${new URLSearchParams({
    ...(integration === '' ? {} : { integration }),
    ...(search === '' ? {} : { search }),
    page: String(page),
  }).toString()}`

export const connectionsPage = (app: FastifyInstance, pages: Pages): void => {
  const { hub } = pages
  const { storage, dev, publicUrl } = hub.context

  app.get('/connections', pages.may('connections:read'), async (request, reply) => {
    const { environmentId } = request.caller
    const asked = askedIn(queryOf(request))
    const { integration, search, page } = asked
    const keys = (await storage.integrations(environmentId)).map(each => each.key)
    const filter = {
      // One that is not there has no connection.
      ...(integration === '' ? {} : { integrationKeys: keys.filter(key => key === integration) }),
      ...(search === '' ? {} : { search }),
    }
    // One more tells whether there are older ones.
    const found = await storage.listConnections(environmentId, filter, { limit: most + 1, skip: (page - 1) * most })
    const rows = found.slice(0, most)
    const older = found.length > most
    const candidates = [...latestOf(rows, dev)]
    const latest = await storage.newest(environmentId, candidates, dev ? 'all' : 'proven')
    const line = (row: ListedConnection): Html => {
      const { id, name, status, account } = shown(hub, row)
      return html`<td><a href="/connections/${encodeURIComponent(id)}">${name}</a>${latest.has(row.id) ? latestMark : undefined}<br><code>${id}</code></td>
<td>${statusText(row, status)}</td><td>${row.integrationKey}</td><td>${account ?? '–'}</td><td>${endUserName(row, row.endUser)}</td><td>${time(row.createdAt)}</td>`
    }
    const isNarrow = integration !== '' || search !== ''
    if (rows.length === 0 && page === 1 && !isNarrow)
      return pages.send(request, reply, {
        place: '/connections',
        title: 'Connections',
        body: html`<h1>Connections</h1>
<p>Nobody has connected an account in this environment yet.</p>
${howToConnect({
  // The start page connects accounts of this environment alone.
  startPage: dev && environmentId === pages.access.firstEnvironment.id,
  publicUrl,
  keyNeeded: !(await pages.keyless()),
  connector: keys.includes('notion') ? 'notion' : keys[0],
})}`,
      })
    const first = (page - 1) * most + 1
    const which =
      page === 1 && !older
        ? rows.length === 1
          ? 'One connection'
          : `${rows.length} connections`
        : `Connections ${first} to ${first + rows.length - 1}`
    const turn = (to: number, words: string): Html => html`<a href="${linkTo({ ...asked, page: to })}">${words}</a> `
    return pages.send(request, reply, {
      place: '/connections',
      title: 'Connections',
      body: html`<h1>Connections</h1>
<form class="row" action="/connections">
<label>Integration <select name="integration"><option value="">all</option>${options(keys, integration)}</select></label>
<label>Search <input type="search" name="search" maxlength="255" value="${search}" placeholder="an id, a name, an e-mail"></label>
<button>Show</button>
</form>
${
  rows.length === 0
    ? html`<p>${page > 1 ? 'There are no more.' : noneOf(asked)} <a href="/connections">Show all</a></p>`
    : html`<p>${which}, newest first. ⭐ Latest marks each end user's newest of an integration.${dev ? undefined : ' What was begun with the public key alone is never marked: anybody may have begun it.'}</p>
${table('Connections', ['Name and id', 'Status', 'Integration', 'Account', 'End user', 'Created'], rows.map(line))}`
}
<p>${page > 1 ? turn(page - 1, 'Newer') : undefined}${older ? turn(page + 1, 'Older') : undefined}</p>`,
    })
  })
}

const noneOf = ({ integration, search }: Asked): string =>
  `There is no connection${integration === '' ? '' : ` through "${integration.slice(0, 100)}"`}${
    search === '' ? '' : ` whose id, or whose end user's name or e-mail, has "${search}" in it`
  }.`

/** The integrations, and the one that was asked for. */
const options = (keys: readonly string[], asked: string): Html[] =>
  [...new Set([...keys, ...(asked === '' ? [] : [asked])])]
    .sort()
    .map(key => (key === asked ? html`<option selected>${key}</option>` : html`<option>${key}</option>`))

/** The empty page says how it is filled. */
const howToConnect = (hub: {
  readonly startPage: boolean
  readonly publicUrl: string
  readonly keyNeeded: boolean
  readonly connector: string | undefined
}): Html => {
  const { connector, publicUrl } = hub
  if (connector === undefined)
    return html`<p>An account is connected through an integration, and there is none yet. Add your app at a provider as one:</p>
${copyable('In a terminal', 'npx mortise integrations add github --client-id <the id that GitHub shows>')}
<p><a href="/docs/core-concepts">Core concepts</a> says what an integration is.</p>`
  const body = { authenticationType: 'oauth2', redirectUri: 'http://localhost:3000/oauth/callback' }
  return html`<p>Any of these ways leads to the first one, and it stands here then.</p>
${
  hub.startPage
    ? html`<h2>With a click</h2>
<p>Open the <a href="/">start page</a>, click Connect, and approve.</p>`
    : undefined
}
${
  connector === 'notion'
    ? html`<h2>In a terminal</h2>
${copyable('In the folder of the hub; it waits until you have approved, and prints the connection id', 'npm run connect-notion')}`
    : undefined
}
<h2>With the API</h2>
${copyable(
  'Answers oauthUrl: open it in a browser, and approve',
  `curl -X POST${keyHeader(hub.keyNeeded)} -H "Content-Type: application/json" -d '${JSON.stringify(body)}' "${publicUrl}/connectors/${inShell(connector)}/credentials"`,
)}
<p>The redirect URI is your app's; where the hub refuses it, list it under <a href="/settings/embedded#redirects">Embedded</a>.</p>
<h2>In your own page</h2>
<p><a href="/settings/embedded">Embedded</a> has the lines: your user clicks and approves in a popup, and your page has the connection id.</p>`
}
