/** What the pages of the dashboard share: the way between them, and the few parts that they are made of. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Environment, Scope } from '../../core/environment.ts'
import { badParameter, MortiseError, toMortiseError } from '../../core/errors.ts'
import type { Hub } from '../../core/hub.ts'
import type { Access } from '../auth.ts'
import { type Html, html } from '../html.ts'
import { prose, sendPage } from '../pages.ts'
import { statusOf } from '../status.ts'

const places = {
  '/connections': 'Connections',
  '/settings/webhooks': 'Webhooks',
  '/settings/api-keys': 'API Keys',
  '/settings/embedded': 'Embedded',
  '/docs': 'Documentation',
}
export type Place = keyof typeof places

/** What it takes to see the settings, and to change them. */
export const seeing: Scope = 'integrations:read'
export const changing: Scope = 'integrations:write'

/** Shows another key's environment: the browser is asked for one again, as long as it sends that of the caller. */
export const signInPath = '/settings/sign-in'

const navigation = (here: Place | undefined): Html =>
  html`<nav aria-label="Pages"><ul>
${Object.entries(places).map(([path, name]) =>
  path === here
    ? html`<li><a href="${path}" aria-current="page">${name}</a></li>\n`
    : html`<li><a href="${path}">${name}</a></li>\n`,
)}</ul></nav>`

/** What every page is given. */
export interface Pages {
  readonly hub: Hub
  readonly access: Access
  /** The environment of the key that the browser sent. */
  environment(request: FastifyRequest): Promise<Environment>
  /** Refuses a key that lacks the scope. */
  may(scope: Scope): { readonly preHandler: (request: FastifyRequest) => Promise<void> }
  /** Whether these pages, and the API, need no key. */
  keyless(): Promise<boolean>
  send(request: FastifyRequest, reply: FastifyReply, page: Page): Promise<FastifyReply>
}

export interface Page {
  readonly place: Place
  readonly title: string
  readonly body: Html
  /** What was wrong with the form that was sent: shown above, and the answer's status. */
  readonly problem?: MortiseError | undefined
}

export const sendFramed = (
  reply: FastifyReply,
  page: Page,
  { environment, callerId, keyless }: { environment: Environment; callerId: string; keyless: boolean },
): FastifyReply => {
  const { place, title, body, problem } = page
  return sendPage(
    reply,
    problem ? statusOf[problem.code] : 200,
    title,
    html`${navigation(place)}
${problem && html`<p class="problem" role="alert">${prose(problem.message)}</p>`}
${body}
<p class="quiet foot">Environment: <strong>${environment.name}</strong>. ${
      keyless
        ? 'This hub has no key yet, so whoever sits at this machine sees these pages.'
        : html`<a href="${signInPath}?not=${callerId}">Use another key</a>`
    }</p>`,
  )
}

const headings: Partial<Record<MortiseError['code'], string>> = {
  not_found: 'There is no such thing here',
  forbidden: 'This is not allowed',
  internal: 'Something went wrong',
}

/** A page that cannot be shown, and why. */
export const sendProblem = (reply: FastifyReply, error: MortiseError): FastifyReply => {
  const heading = headings[error.code] ?? 'That did not work'
  return sendPage(
    reply,
    statusOf[error.code],
    heading,
    html`${navigation(undefined)}
<h1 class="bad">${heading}</h1>
<p>${prose(error.message)}</p>
<p><a href="/connections">To the connections</a></p>`,
  )
}

/** Whose turn it is where the browser sent no key, or a wrong one. */
export const sendSignIn = (reply: FastifyReply, error: MortiseError): FastifyReply =>
  sendPage(
    // RFC 7617 §2.
    reply.header('www-authenticate', 'Basic realm="Mortise: secret key as user name, no password", charset="UTF-8"'),
    401,
    'Sign in with a secret key',
    html`<h1>Sign in with a secret key</h1>
<p>These pages show one environment, that of a secret key. When the browser asks for a user name, give it the secret key, and leave the password empty. (Or give the user and the password of <code>MORTISE_BASIC_AUTH</code>, if the hub has that setting.)</p>
${error.details.reason === 'key_missing' ? undefined : html`<p class="problem" role="alert">${prose(error.message)}</p>`}
<p><a class="button" href="/connections">Try again</a></p>
<p>The operator of the hub makes a key in a terminal: <code>npx mortise key create</code></p>`,
  )

/** What a form sent. */
export const formOf = (request: FastifyRequest): URLSearchParams => {
  const { body } = request
  if (body instanceof URLSearchParams) return body
  throw new MortiseError('invalid_request', 'The form is empty. Open the page again and send it from there.')
}

/** A field of a form, without blanks around it. */
export const textIn = (form: URLSearchParams, name: string): string => {
  const text = (form.get(name) ?? '').trim()
  if (text.length > 2000) throw badParameter(name, 'What was typed is longer than 2,000 characters.')
  return text
}

/**
 * Does what a form asks. Where that is refused, its page is shown again: with the reason, and with what was typed; the
 * reason alone to a key that may not see the page (`needed`: the scope to see it).
 */
export const attempt = async (
  request: FastifyRequest,
  work: () => Promise<FastifyReply>,
  again: (problem: MortiseError) => Promise<FastifyReply>,
  needed: Scope = seeing,
): Promise<FastifyReply> => {
  try {
    return await work()
  } catch (thrown) {
    const error = toMortiseError(thrown)
    if (error.code === 'internal' || !request.caller.scopes.has(needed)) throw thrown
    return again(error)
  }
}

/** In UTC, for people and for programs. */
export const time = (date: Date): Html => {
  const iso = date.toISOString()
  return html`<time datetime="${iso}">${iso.slice(0, 19).replace('T', ' ')} UTC</time>`
}

/** Scrolls by itself where it is wider than the screen, by keyboard too. */
export const table = (label: string, heads: readonly string[], rows: readonly Html[]): Html =>
  html`<div class="scroll wide" role="group" aria-label="${label}" tabindex="0"><table>
<thead><tr>${heads.map(head => html`<th scope="col">${head}</th>`)}</tr></thead>
<tbody>
${rows.map(row => html`<tr>${row}</tr>\n`)}</tbody>
</table></div>`

/** A button that changes something. */
export const action = (
  path: string,
  button: string,
  fields: Readonly<Record<string, string>> = {},
  label = button,
): Html =>
  html`<form method="post" action="${path}">${Object.entries(fields).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )}<button${label === button ? undefined : html` aria-label="${label}"`}>${button}</button></form>`

/** A button that ends something for good: it stands behind a first click, with what it does. */
export const confirmed = (summary: string, what: Html, form: Html): Html =>
  html`<details class="confirm"><summary>${summary}</summary>
<p>${what}</p>
${form}
</details>`

export const mayNot = (scope: Scope): Html =>
  html`<p class="quiet">For this, your key lacks the scope <code>${scope}</code>.</p>`
