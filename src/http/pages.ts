/** The pages a person sees: plain, server-rendered, escaped, under a strict policy. */
import type { FastifyReply } from 'fastify'
import type { Outcome } from '../core/attempt.ts'
import type { Environment } from '../core/environment.ts'
import { errorTable, type MortiseError } from '../core/errors.ts'
import type { Integration } from '../core/integration.ts'
import type { Provider } from '../core/provider.ts'
import { copyable, type Html, html, layout, policy } from './html.ts'

/**
 * `formsLeave`: a form of the page ends at another site, which `form-action` would stop (it holds for redirects too).
 * `policy`: in place of the usual. `bare`: without the hub's own header.
 */
export const sendPage = (
  reply: FastifyReply,
  status: number,
  title: string,
  body: Html,
  { formsLeave = false, policy: own = policy, bare = false } = {},
): FastifyReply =>
  reply
    .code(status)
    .type('text/html; charset=utf-8')
    .header('content-security-policy', formsLeave ? own : `${own}; form-action 'self'`)
    .send(layout(title, body, bare))

/** A sentence of ours, in which `…` marks what is typed. */
export const prose = (text: string): Html =>
  html`${text.split('`').map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : html`${part}`))}`

/** A flow that did not end well: what happened, whose turn it is, and the way back. */
const sorry = (heading: string, message: string, code: keyof typeof errorTable, type: string): Html =>
  html`<h1 class="bad">${heading}</h1>
<p>${prose(message)}</p>
<p>${turn[errorTable[code].who]}</p>
<p><a href="/">Back to the start page</a></p>
<p class="quiet">For support: <code>${type}</code></p>`

const turn: Record<(typeof errorTable)[keyof typeof errorTable]['who'], string> = {
  caller: 'The app that sent you here has to mend its link; tell its makers what this page says.',
  'end user': 'It is your turn: go back and try again.',
  operator: 'The operator of this hub has to mend it; tell them what this page says.',
  provider: 'Wait a little, then go back and try again.',
  us: 'The operator of this hub finds the cause in its log.',
}

/**
 * A flow that could not start or be matched. `type` names the cause for the app's makers; `tell`: the script by which the
 * page tells whoever opened its window.
 */
export const sendFailure = (
  reply: FastifyReply,
  error: MortiseError,
  status: number,
  type: string,
  tell?: Html,
): FastifyReply =>
  error.details.reason === 'session_used'
    ? sendPage(reply, status, 'Used up', html`<h1>This link is used up</h1>\n<p>${prose(error.message)}</p>`)
    : sendPage(reply, status, 'Not connected', html`${sorry('Not connected', error.message, error.code, type)}${tell}`)

export const sendNotFound = (reply: FastifyReply): FastifyReply =>
  sendPage(
    reply,
    404,
    'No such page',
    html`<h1>No such page</h1>
<p>The hub has no page at this address. <a href="/">Back to the start page</a>, or to <a href="/docs">the documentation</a>.</p>`,
  )

interface OutcomePage {
  readonly outcome: Outcome
  readonly provider: string
  readonly publicUrl: string
  /** Whether the API wants a key. */
  readonly keyNeeded: boolean
  readonly tell?: Html | undefined
}

/** How an attempt ended, with the lines to paste. */
export const sendOutcome = (reply: FastifyReply, page: OutcomePage): FastifyReply => {
  const { outcome, publicUrl } = page
  if (!outcome.ok)
    return sendPage(
      reply,
      400,
      'Not connected',
      html`${sorry(`${page.provider} is not connected`, outcome.message, outcome.code, outcome.reason ?? outcome.code)}${page.tell}`,
    )
  const path = `/connection/${inShell(outcome.connectionId)}?provider_config_key=${inShell(outcome.integrationKey)}`
  const header = keyHeader(page.keyNeeded)
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
${copyable('For your .env file', `CONNECTION_ID=${quoted(outcome.connectionId)}`)}
<p>Read next: <a href="/docs/core-concepts">Core concepts</a>: what a connection is, and why you should never cache its token.</p>
<p><a href="/">Connect another account</a></p>${page.tell}`,
  )
}

/** Goes on to another page by itself. */
export const sendOnward = (reply: FastifyReply, url: string): FastifyReply =>
  sendPage(
    reply.header('refresh', `0;url=${url}`),
    200,
    'One moment',
    html`<h1>One moment</h1>
<p>You are being sent on. If nothing happens: <a href="${url}" rel="noreferrer">continue</a>.</p>`,
  )

/**
 * Sends a form once more, from this page: with one that another site sends, a browser sends no cookies (RFC 6265bis
 * §5.8.3, "Lax"), and the second try in one browser would look like one in another.
 */
export const sendAgain = (reply: FastifyReply, action: string, fields: URLSearchParams): FastifyReply =>
  sendPage(
    // Without its origin the form would be refused.
    reply.header('referrer-policy', 'strict-origin'),
    200,
    'One moment',
    html`<h1>One moment</h1>
<form id="again" method="post" action="${action}">
${[...fields].map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
<button>Continue</button>
</form>
<script src="/assets/again.js" defer></script>`,
  )

interface DonePage {
  readonly outcome: Outcome
  readonly provider: string
  readonly tell?: Html | undefined
  /** The window closes itself: whoever waits for it has heard, or will hear. */
  readonly closes: boolean
}

/** The end of a flow in a window that a page opened: the page hears of it by itself. */
export const sendDone = (reply: FastifyReply, page: DonePage): FastifyReply => {
  const { outcome, provider, tell } = page
  if (!outcome.ok)
    return sendPage(
      reply,
      400,
      'Not connected',
      html`<h1 class="bad">${provider} is not connected</h1>
<p>${prose(outcome.message)}</p>
<p>You can close this window: the app knows.</p>${tell}`,
    )
  return sendPage(
    reply,
    200,
    'Connected',
    html`<h1 class="good">${provider} is connected</h1>
${outcome.account === undefined ? undefined : html`<p>Account: <strong>${outcome.account}</strong></p>`}
<p>You can close this window: the app knows.</p>${tell}
${page.closes ? html`<script src="/assets/close.js" defer></script>` : undefined}`,
  )
}

/** What a curl needs besides, where the hub wants a key. */
export const keyHeader = (keyNeeded: boolean): string =>
  keyNeeded ? ' -H "Authorization: Bearer $HUB_SECRET_KEY"' : ''

/** Percent-encoded, the characters too that a shell would take for its own. */
export const inShell = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*~]/g, char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

/** A value for a .env file, quoted where a shell that sources it would do something else. */
export const quoted = (text: string): string =>
  /^[\w.@:/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`

interface HomePage {
  readonly environment: Environment
  readonly rows: readonly {
    readonly integration: Integration
    readonly definition: Provider | undefined
    /** What the link needs besides the public key, where the environment demands it. */
    readonly hmac: string | undefined
  }[]
  readonly keyNeeded: boolean
}

export const sendHome = (reply: FastifyReply, page: HomePage): FastifyReply =>
  sendPage(
    reply,
    200,
    'Connect an account',
    html`<h1>Connect an account</h1>
<p>Click Connect, approve at the provider, and read the connection with a working token. ${
      page.rows.some(each => each.integration.sandbox)
        ? 'The providers marked sandbox run on this machine: no account, no internet.'
        : undefined
    }</p>
${
  page.rows.length === 0
    ? html`<p>There is no integration yet. Add your app at a provider as one:</p>
${copyable('In a terminal', 'npx mortise integrations add github --client-id <the id that GitHub shows>')}
<p>The provider's own form asks for a redirect URI; <a href="/docs/core-concepts#redirect-uri">Core concepts</a> says which.</p>`
    : html`<ul class="plain">${page.rows.map(each => row(page.environment, each))}</ul>`
}
<h2>Next</h2>
<ul>
<li><a href="/connections">Connections</a>: who is connected, each id to copy, and how each stands</li>
<li><a href="/settings">Settings</a>: webhooks, API keys, and what your own pages need to connect accounts</li>
<li><a href="/docs/core-concepts">Core concepts</a>: integrations, connections, metadata</li>
<li><a href="/docs/sdk-reference">SDK reference</a>: starting a flow from your own page</li>
<li><a href="/docs/securing-your-instance">Securing your instance</a>: ${page.keyNeeded ? 'keys, scopes and Basic authentication' : 'this hub needs no key while only this machine can reach it'}</li>
<li><a href="/docs">All pages</a></li>
</ul>`,
    { formsLeave: true },
  )

/** A form, so that what the provider needs of the end user is asked for and not made up. */
const row = (environment: Environment, { integration, definition, hmac }: HomePage['rows'][number]): Html => {
  const inputs = Object.entries(definition?.params ?? {}).filter(([, input]) => input.default === undefined)
  const name = definition?.name ?? integration.provider
  return html`<li><form action="/oauth/connect/${encodeURIComponent(integration.key)}">
<span><strong>${name}</strong> <span class="quiet">${integration.key}${integration.sandbox ? ' · sandbox' : ''}</span></span>
<input type="hidden" name="public_key" value="${environment.publicKey}">
${hmac === undefined ? undefined : html`<input type="hidden" name="hmac" value="${hmac}">`}
${inputs.map(([key, input]) => html`<label>${input.title} <input name="params[${key}]" required placeholder="${input.example ?? ''}"></label>`)}
<button aria-label="Connect ${name} (${integration.key})">Connect</button>
</form></li>`
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
