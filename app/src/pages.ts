/** The pages that a person sees. Their only script copies what stands beside a button. */
import type { Response } from 'express'
import type { Failure } from './answers.ts'
import type { AppConfig } from './config.ts'
import { type ConnectionRow, connectionIdOf, integrationOf } from './connections.ts'
import type { Finding } from './diagnose.ts'
import { type Html, html } from './html.ts'
import type { JwtToken } from './token.ts'

const policy =
  "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

export const sendPage = (response: Response, status: number, title: string, body: Html): void => {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/style.css">
<script src="/copy.js" defer></script>
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

export const home = html`<p><a href="/">Back to the start page</a></p>`

/** One click selects all of it. The button shows where the script runs. */
export const copyable = (text: string): Html =>
  html`<code>${text}</code> <button type="button" class="copy" hidden>Copy</button>`

/** To be opened by hand: a hub without a key answers nothing that a page of another port links to. */
export const atHub = (hub: string): Html => copyable(`${hub}/connections`)

/** `problem`: why nothing works yet. */
export const sendHome = (response: Response, config: AppConfig, problem: string | undefined): void =>
  sendPage(
    response,
    200,
    'Connect Notion',
    html`<h1>🔗 Connect Notion to Alloy Automation</h1>
<p>Approve at Notion and get a Connection ID, with which this application reads, writes and updates pages.</p>
<p>This application talks to the hub at <code>${config.alloyBaseUrl}</code>, which speaks Alloy's API.</p>
${problem === undefined ? undefined : html`<p class="problem" role="alert">❌ ${problem}</p>`}
<p><a class="button" href="/connect/notion">Connect Notion</a></p>
<form method="post" action="/api/alloy/token"><button>Get JWT Token</button></form>
<ul>
<li><a href="/api/connections">Your connections</a>, the latest marked</li>
<li><a href="/api/diagnose">Full diagnostics</a>: what works, and what to do about the rest</li>
<li><a href="/api/config/check">Configuration check</a></li>
</ul>
<p><code>CONNECTION_ID</code> is ${config.connectionId === undefined ? 'not set yet' : 'set'}.</p>`,
  )

export const sendFailurePage = (response: Response, status: number, failure: Failure): void =>
  sendPage(
    response,
    status,
    failure.error,
    html`<h1>${failure.error}</h1>
${failure.details === undefined ? undefined : html`<p class="problem">${failure.details}</p>`}
${failure.suggestion === undefined ? undefined : html`<p>${failure.suggestion}</p>`}
${home}`,
  )

export const sendToken = (response: Response, jwt: JwtToken): void =>
  sendPage(
    response,
    200,
    'JWT Token',
    html`<h1>✅ JWT Token retrieved successfully!</h1>
<p>For the Frontend SDK, in a page: <code>await alloy.authenticate(token)</code>. It speaks for the user, so keep it to yourself.</p>
<p>${copyable(jwt.token)}</p>
<p>${jwt.expiresAt === undefined ? 'It does not say when it expires.' : `It expires at ${jwt.expiresAt.toISOString()}.`}</p>
${home}`,
  )

export const sendConnections = (
  response: Response,
  rows: readonly ConnectionRow[],
  latest: ConnectionRow | undefined,
  hub: string,
): void =>
  sendPage(
    response,
    200,
    'Your connections',
    html`<h1>Your connections</h1>
${
  latest === undefined
    ? html`<p>No connections found. <a href="/connect/notion">Connect Notion</a> first.</p>`
    : html`<table>
<thead><tr><th scope="col">Name</th><th scope="col">Integration</th><th scope="col">Status</th><th scope="col">Created</th><th scope="col">Connection ID</th></tr></thead>
<tbody>
${rows.map(
  row => html`<tr><td>${row.name ?? '(no name)'}${row === latest ? ' ⭐ Latest' : undefined}</td><td>${integrationOf(row)}</td><td>${row.status}</td><td>${row.createdAt}</td><td>${copyable(connectionIdOf(row) ?? '')}</td></tr>
`,
)}</tbody>
</table>
<p>To use the latest, add this to your .env file: ${copyable(`CONNECTION_ID=${connectionIdOf(latest)}`)}</p>`
}
<p>Where the hub shows them: ${atHub(hub)}</p>
${home}`,
  )

const mark = (finding: Finding): string => (finding.hint ? '💡' : finding.ok ? '✅' : '❌')

export const sendChecks = (response: Response, findings: readonly Finding[]): void =>
  sendPage(
    response,
    200,
    'Full diagnostics',
    html`<h1>Full diagnostics</h1>
<p>${findings.every(each => each.ok) ? 'Nothing is wrong.' : 'Something does not work yet; each line with ❌ says what to do.'}</p>
<table>
<tbody>
${findings.map(
  each => html`<tr><th scope="row">${each.name}</th><td>${mark(each)} ${each.message}</td></tr>
`,
)}</tbody>
</table>
${home}`,
  )

/** Which settings are there; what they hold only where it is no secret. */
export const sendSettings = (response: Response, settings: Readonly<Record<string, string>>): void =>
  sendPage(
    response,
    200,
    'Configuration check',
    html`<h1>Configuration check</h1>
<table>
<tbody>
${Object.entries(settings).map(
  ([name, state]) => html`<tr><th scope="row">${name}</th><td>${state}</td></tr>
`,
)}</tbody>
</table>
<p>They come from <code>.env</code> at the root of the repository, or from the environment, which wins.</p>
${home}`,
  )
