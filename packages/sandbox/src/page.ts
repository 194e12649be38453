import { createHash } from 'node:crypto'
import type { Account, Answer } from './expectation.ts'

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

export const escapeHtml = (value: string): string => value.replace(/[&<>"']/g, character => ESCAPES[character] ?? '')

const STYLE = `
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
body { margin: 0 auto; max-width: 38rem; padding: 2rem 1rem }
h1 { font-size: 1.4rem }
h2 { font-size: 1.2rem; margin-top: 2rem }
h3 { font-size: 1rem; margin: 1.5rem 0 .25rem }
h1, p, li, dd, pre, code { overflow-wrap: anywhere }
pre { border: 1px solid; border-radius: .5rem; margin: .25rem 0 1rem; padding: .5rem .75rem; white-space: pre-wrap }
dl { margin: 0 }
dt { font-size: .85rem; opacity: .8 }
dd { margin: 0 0 .5rem 1rem }
summary { cursor: pointer; padding: .5rem 0 }
fieldset { border: 1px solid; border-radius: .5rem; margin: 1.5rem 0; padding: .5rem 1rem }
label { display: block; padding: .5rem 0 }
small { display: block; margin-left: 1.6rem }
p small { margin: 0 }
button { background: transparent; border: 1px solid; border-radius: .5rem; color: inherit; cursor: pointer; font: inherit }
button { margin-right: .5rem; min-height: 2.75rem; padding: 0 1.25rem }
button.primary { background: CanvasText; border-color: CanvasText; color: Canvas; font-weight: 600 }
:focus-visible { outline: 3px solid Highlight; outline-offset: 2px }
`

/**
 * No form-action: browsers hold the redirect that follows a form against it too, and where that one leads is the
 * registered redirect URI's business (https://www.w3.org/TR/CSP3/#directive-form-action).
 */
export const PAGE_CSP = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

export const page = (status: number, title: string, main: string): Answer => ({
  status,
  headers: { 'content-type': 'text/html; charset=utf-8' },
  body: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
${main}
</main>
</body>
</html>
`,
})

export const errorPage = (name: string, why: string): Answer =>
  page(400, `${name} (sandbox): this request cannot be answered`, `<p role="alert">${escapeHtml(why)}</p>`)

export interface Consent {
  readonly name: string
  /** The client id. */
  readonly app: string
  readonly action: string
  readonly transaction: string
  readonly scopes: readonly string[]
  readonly redirectUri: string
  readonly accounts: readonly Account[]
}

/** Who it is, besides the account's own name. */
export const personOf = ({ name, person }: Account): string =>
  [person.name, person.email].filter(each => each !== name).join(', ')

const radio = (account: Account, index: number): string => `<label>
<input type="radio" name="account" value="${escapeHtml(account.id)}" required${index === 0 ? ' checked' : ''}>
${escapeHtml(account.name)}
<small>${escapeHtml(personOf(account))}</small>
</label>`

export const consentPage = (consent: Consent): Answer => {
  const { name, app, action, transaction, scopes, redirectUri, accounts } = consent
  const asked =
    scopes.length === 0
      ? '<p>It asks for no particular scope.</p>'
      : `<p>Scopes:</p>\n<ul>\n${scopes.map(scope => `<li><code>${escapeHtml(scope)}</code></li>`).join('\n')}\n</ul>`
  return page(
    200,
    `${name} (sandbox): Mortise asks for access`,
    `<p><small>Client id: <code>${escapeHtml(app)}</code></small></p>
${asked}
<p>Your answer goes to <code>${escapeHtml(redirectUri)}</code>. Nothing leaves this machine.</p>
<form method="post" action="${escapeHtml(action)}">
<input type="hidden" name="transaction" value="${escapeHtml(transaction)}">
<fieldset>
<legend>Account</legend>
${accounts.map(radio).join('\n')}
</fieldset>
<button type="submit" name="decision" value="approve" class="primary">Approve</button>
<button type="submit" name="decision" value="deny">Deny</button>
</form>`,
  )
}
