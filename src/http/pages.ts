/** The pages a person sees: plain, server-rendered, escaped, under a strict policy. */
import type { FastifyReply } from 'fastify'
import type { Outcome } from '../core/attempt.ts'
import type { Environment } from '../core/environment.ts'
import { errorTable, type MortiseError } from '../core/errors.ts'
import type { Integration } from '../core/integration.ts'
import type { Provider } from '../core/provider.ts'
import { copyable, type Html, html, layout, policy } from './html.ts'

export const sendPage = (reply: FastifyReply, status: number, title: string, body: Html): FastifyReply =>
  reply
    .code(status)
    .type('text/html; charset=utf-8')
    .header('content-security-policy', policy)
    .send(layout(title, body))

/** A flow that could not start or be matched: what is wrong, and whose turn it is. */
export const sendFailure = (reply: FastifyReply, error: MortiseError, status: number, type: string): FastifyReply =>
  sendPage(
    reply,
    status,
    'Not connected',
    html`<h1 class="bad">Not connected</h1>
<p>${error.message}</p>
${turn(error.code)}
<p class="quiet">Error type: <code>${type}</code></p>`,
  )

const turn = (code: keyof typeof errorTable): Html =>
  html`<p class="quiet">${errorTable[code].sentence} Next: the ${errorTable[code].who === 'us' ? "hub's operator" : errorTable[code].who}.</p>`

export interface OutcomePage {
  readonly outcome: Outcome
  readonly provider: string
  readonly publicUrl: string
  /** Whether the API wants a key. */
  readonly keyNeeded: boolean
}

/** How an attempt ended, with the lines to paste. */
export const sendOutcome = (reply: FastifyReply, page: OutcomePage): FastifyReply => {
  const { outcome, publicUrl } = page
  if (!outcome.ok)
    return sendPage(
      reply,
      400,
      'Not connected',
      html`<h1 class="bad">${page.provider} is not connected</h1>
<p>${outcome.message}</p>
${turn(outcome.code)}
<p class="quiet">Error type: <code>${outcome.reason ?? outcome.code}</code></p>`,
    )
  const path = `/connection/${encodeURIComponent(outcome.connectionId)}?provider_config_key=${encodeURIComponent(outcome.integrationKey)}`
  const header = page.keyNeeded ? ' -H "Authorization: Bearer $MORTISE_SECRET_KEY"' : ''
  return sendPage(
    reply,
    200,
    'Connected',
    html`<h1 class="good">${page.provider} is connected</h1>
${outcome.account === undefined ? undefined : html`<p>Account: <strong>${outcome.account}</strong></p>`}
<p>${outcome.repaired ? 'The connection was there before; now it holds the new credential.' : 'The hub holds the credential, sealed, and keeps it fresh.'}</p>
${copyable('Connection id', outcome.connectionId)}
<h2>Use it</h2>
${copyable('Read a working token (credentials.access_token in the answer)', `curl${header} "${publicUrl}${path}"`)}
${copyable('For your .env file', `CONNECTION_ID=${outcome.connectionId}`)}
<p>Read next: <a href="/docs/core-concepts">Core concepts</a>: what a connection is, and why you should never cache its token.</p>`,
  )
}

export interface HomePage {
  readonly environment: Environment
  readonly integrations: readonly (Integration & { readonly definition: Provider | undefined })[]
  readonly keyNeeded: boolean
}

export const sendHome = (reply: FastifyReply, page: HomePage): FastifyReply =>
  sendPage(
    reply,
    200,
    'Connect an account',
    html`<h1>Connect an account</h1>
<p>Click Connect, approve at the provider, and read the connection with a working token. ${
      page.integrations.some(each => each.sandbox)
        ? 'The providers marked sandbox run on this machine: no account, no internet.'
        : undefined
    }</p>
${
  page.integrations.length === 0
    ? html`<p>There is no integration yet. Add your app at a provider as one:</p>
${copyable('In a terminal', 'npx mortise integrations add github --provider github --client-id … ')}
<p>The provider's own form asks for a redirect URI; <a href="/docs/core-concepts">Core concepts</a> says which.</p>`
    : html`<ul class="plain">${page.integrations.map(each => row(page.environment, each))}</ul>`
}
<h2>Next</h2>
<ul>
<li><a href="/docs/core-concepts">Core concepts</a>: integrations, connections, metadata</li>
<li><a href="/docs/sdk-reference">SDK reference</a>: starting a flow from your own page</li>
<li><a href="/docs/securing-your-instance">Securing your instance</a>: ${page.keyNeeded ? 'keys, scopes and Basic authentication' : 'this hub needs no key while only this machine can reach it'}</li>
</ul>`,
  )

const row = (environment: Environment, each: HomePage['integrations'][number]): Html => {
  const name = each.definition?.name ?? each.provider
  const missing = Object.entries(each.definition?.params ?? {}).filter(([, input]) => input.default === undefined)
  const query = new URLSearchParams({ public_key: environment.publicKey })
  for (const [key, input] of missing) query.set(`params[${key}]`, input.example ?? '')
  return html`<li><span><strong>${name}</strong> <span class="quiet">${each.key}${each.sandbox ? ' · sandbox' : ''}</span></span>
<a class="button" href="/oauth/connect/${encodeURIComponent(each.key)}?${query.toString()}" aria-label="Connect ${name}">Connect</a></li>`
}

/** The hub in production: nothing to see without a key, and where to go. */
export const sendPlainHome = (reply: FastifyReply): FastifyReply =>
  sendPage(
    reply,
    200,
    'A connection hub',
    html`<h1>This is a Mortise hub</h1>
<p>Apps send their users here to connect accounts. If an app sent you, use the link that it gave you.</p>
<ul>
<li><a href="/docs/core-concepts">Core concepts</a></li>
<li><a href="/docs/sdk-reference">SDK reference</a></li>
<li><a href="/docs/securing-your-instance">Securing your instance</a></li>
</ul>`,
  )
