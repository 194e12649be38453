/** The pages that a person sees. They hold no script. */
import type { Response } from 'express'
import { noCode, notBegunHere } from './callback.ts'
import type { AppConfig } from './config.ts'
import { type ConnectionRow, connectionIdOf } from './connections.ts'
import { type Html, html } from './html.ts'
import type { JwtToken } from './token.ts'

const policy = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

export const sendPage = (response: Response, status: number, title: string, body: Html): void => {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/style.css">
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`
  response.status(status).type('html').set('content-security-policy', policy).send(page.text)
}

const home = html`<p><a href="/">Back to the start page</a></p>`

const envLine = (connectionId: string): Html => html`<pre>CONNECTION_ID=${connectionId}</pre>`

export const sendHome = (response: Response, config: AppConfig): void =>
  sendPage(
    response,
    200,
    'Connect Notion',
    html`<h1>🔗 Connect Notion to Alloy Automation</h1>
<p>Approve at Notion and get a Connection ID, with which this application reads, writes and updates pages.</p>
<p><a class="button" href="/connect/notion">Connect Notion</a></p>
<form method="post" action="/api/alloy/token"><button>Get JWT Token</button></form>
<ul>
<li><a href="/api/connections">Your connections</a>, the latest marked</li>
<li><a href="/api/diagnose">Full diagnostics</a>: what works, and what to do about the rest</li>
<li><a href="/api/config/check">Configuration check</a></li>
</ul>
<p>This application talks to <code>${config.alloyBaseUrl}</code>. ${
      config.connectionId === undefined
        ? html`<code>CONNECTION_ID</code> is not set yet.`
        : html`<code>CONNECTION_ID</code> is set.`
    }</p>`,
  )

/** S1's words. */
export const sendConnected = (response: Response, connectionId: string): void =>
  sendPage(
    response,
    200,
    'Connection Successful!',
    html`<h1>Connection Successful!</h1>
<p>Connection ID: <code>${connectionId}</code></p>
<p>Add this to your .env file: <code>CONNECTION_ID=${connectionId}</code></p>
${home}`,
  )

/** S2: no code came, and there is a connection to use. */
export const sendFound = (response: Response, latest: ConnectionRow, count: number): void =>
  sendPage(
    response,
    200,
    'Connection Found!',
    html`<h1>✅ Connection Found!</h1>
<p>${noCode}. This is okay: you have ${count === 1 ? 'a Notion connection' : `${count} Notion connections`}, and can use the latest:</p>
<p><strong>${latest.name ?? 'Notion'}</strong> ⭐ Latest${latest.createdAt === undefined ? undefined : html`, created ${latest.createdAt}`}</p>
<p>Connection ID: <code>${connectionIdOf(latest)}</code></p>
<p>Add this to your .env file:</p>
${envLine(connectionIdOf(latest) ?? '')}
<p>Do not connect again only because the code is missing: on some servers each run makes another connection. <a href="/api/connections">All your connections</a></p>
${home}`,
  )

/** S2: no code came, and there is nothing to use. */
export const sendNothing = (response: Response, why: string | undefined): void =>
  sendPage(
    response,
    400,
    'No Authorization Code Received',
    html`<h1>OAuth Error: No Authorization Code Received</h1>
<p>${noCode}.</p>
<p>${why ?? 'You have no Notion connection yet.'}</p>
<p>Start the sign-in here, and approve it at Notion: <a href="/connect/notion">Connect Notion</a>. If it ends here again, <a href="/api/diagnose">the diagnostics</a> say what is missing.</p>
${home}`,
  )

export const sendStranger = (response: Response): void =>
  sendPage(
    response,
    403,
    'Not connected',
    html`<h1>Not connected</h1>
<p>${notBegunHere}</p>
<p>If you were about to connect, start here: <a href="/connect/notion">Connect Notion</a>. If you began in a terminal (<code>npm run test-oauth</code>), paste the address of this page there. If a link from somebody else brought you here, close this page.</p>`,
  )

export const sendSorry = (response: Response, status: number, message: string): void =>
  sendPage(
    response,
    status,
    'Not connected',
    html`<h1>Not connected</h1>
<p>${message}</p>
<p><a href="/connect/notion">Try again</a>, or see <a href="/api/diagnose">the diagnostics</a>.</p>
${home}`,
  )

export const sendToken = (response: Response, jwt: JwtToken): void =>
  sendPage(
    response,
    200,
    'JWT Token',
    html`<h1>✅ JWT Token retrieved successfully!</h1>
<p>For the Frontend SDK, in a page: <code>await alloy.authenticate(token)</code>. It speaks for the user, so keep it to yourself.</p>
<pre>${jwt.token}</pre>
<p>${jwt.expiresAt === undefined ? 'It does not say when it expires.' : `It expires at ${jwt.expiresAt.toISOString()}.`}</p>
${home}`,
  )
