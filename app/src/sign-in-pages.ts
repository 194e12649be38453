/** The pages that a sign-in ends at, whether it was begun in the browser or in a terminal. */
import type { Response } from 'express'
import { noCode, notBegunHere } from './callback.ts'
import { type ConnectionRow, connectionIdOf } from './connections.ts'
import { type Html, html } from './html.ts'
import { atHub, copyable, home, sendPage } from './pages.ts'

/** A terminal's server has one route: its pages link to no other. */
type Begun = 'browser' | 'terminal'

const line = (connectionId: string): Html => copyable(`CONNECTION_ID=${connectionId}`)

/** S1's words, and what comes after them. */
export const toEnv = (connectionId: string, hub: string): Html =>
  html`<p>Add this to your .env file: ${line(connectionId)}</p>
<p>Next: put that line into <code>.env</code> at the root of the repository, then read, write and update pages: <code>npm run notion-example</code> in a terminal.</p>
<p>Where the hub shows it: ${atHub(hub)}</p>
${home}`

/** In a terminal, where the line is written already. */
export const inEnv = (connectionId: string): Html =>
  html`<p>It is in .env already: ${line(connectionId)}</p>
<p>Next: <code>npm run notion-example</code> in the terminal. You can close this page.</p>`

/** In a terminal, where nothing new was connected. */
export const stillWaiting = (connectionId: string): Html =>
  html`<p>Add this to your .env file: ${line(connectionId)}</p>
<p>Nothing new was connected, so the terminal still waits. To connect, open the URL that it prints.</p>`

/** S1's words. */
export const sendConnected = (response: Response, connectionId: string, next: Html): void =>
  sendPage(
    response,
    200,
    'Connection Successful!',
    html`<h1>Connection Successful!</h1>
<p>Connection ID: ${copyable(connectionId)}</p>
${next}`,
  )

/** S2: no code came, and there is a connection to use. `said`: what the server says of this sign-in, which it is not of. */
export const sendFound = (response: Response, latest: ConnectionRow, count: number, next: Html, said?: string): void =>
  sendPage(
    response,
    200,
    'Connection Found!',
    html`<h1>✅ Connection Found!</h1>
<p>${noCode}. ${said === undefined ? 'This is okay: you' : `${said} You`} have ${count === 1 ? 'a Notion connection' : `${count} Notion connections`}, and can use the latest${said === undefined ? '' : ', an older one'}:</p>
<p><strong>${latest.name ?? 'Notion'}</strong> ⭐ Latest${latest.createdAt === undefined ? undefined : html`, created ${latest.createdAt}`}</p>
<p>Connection ID: ${copyable(connectionIdOf(latest) ?? '')}</p>
${next}
<p>Do not connect again only because the code is missing: on some servers each run makes another connection.</p>`,
  )

/** S2: no code came, and there is nothing to use. */
export const sendNothing = (response: Response, why: string | undefined, begun: Begun = 'browser'): void =>
  sendPage(
    response,
    400,
    'No Authorization Code Received',
    html`<h1>OAuth Error: No Authorization Code Received</h1>
<p>${noCode}.</p>
<p>${why ?? 'You have no Notion connection yet.'}</p>
${
  begun === 'terminal'
    ? html`<p>The terminal still waits: open the URL that it prints, and approve at Notion.</p>`
    : html`<p>Start the sign-in here, and approve it at Notion: <a href="/connect/notion">Connect Notion</a>. If it ends here again, <a href="/api/diagnose">the diagnostics</a> say what is missing.</p>
${home}`
}`,
  )

/** `undone`: what became of the connection that this sign-in made. */
export const sendStranger = (response: Response, begun: Begun = 'browser', undone?: string): void =>
  sendPage(
    response,
    403,
    'Not connected',
    html`<h1>Not connected</h1>
<p>${notBegunHere}${undone === undefined ? '' : ` ${undone}`}</p>
<p>${
      begun === 'terminal'
        ? 'If you were about to connect, open the URL that the terminal prints.'
        : html`If you were about to connect, start here: <a href="/connect/notion">Connect Notion</a>. If you began in a terminal (<code>npm run test-oauth</code>), paste the address of this page there.`
    } If a link from somebody else brought you here, close this page.</p>`,
  )

export const sendSorry = (response: Response, status: number, message: string, begun: Begun = 'browser'): void =>
  sendPage(
    response,
    status,
    'Not connected',
    html`<h1>Not connected</h1>
<p>${message}</p>
${
  begun === 'terminal'
    ? html`<p>The terminal says what is next: <code>npm run connect-notion</code></p>`
    : html`<p><a href="/connect/notion">Try again</a>, or see <a href="/api/diagnose">the diagnostics</a>.</p>
${home}`
}`,
  )
