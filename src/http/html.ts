/** Pages as text: every value that is put in is escaped, unless it is a page's part itself. */

export class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escaped = (text: string): string => text.replace(/[&<>"']/g, char => entities[char] ?? '')

type Part = string | number | Html | readonly Html[] | undefined

const render = (part: Part): string =>
  part === undefined
    ? ''
    : part instanceof Html
      ? part.text
      : typeof part === 'object'
        ? part.map(each => each.text).join('')
        : escaped(String(part))

export const html = (texts: TemplateStringsArray, ...parts: readonly Part[]): Html =>
  new Html(texts.reduce((page, text, index) => page + render(parts[index - 1]) + text))

/** No script but the hub's own files, no frame. */
export const policy =
  "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'"

export const layout = (title: string, body: Html, bare = false): string =>
  html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Mortise</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/assets/mortise.css">
<script src="/assets/copy.js" defer></script>
</head>
<body>
${bare ? undefined : new Html('<header><a href="/">Mortise</a></header>\n')}<main>
${body}
</main>
</body>
</html>
`.text

/** A line to copy. The button appears only where the script runs; the text can be selected in any case. */
export const copyable = (label: string, text: string): Html =>
  html`<div class="copy"><span class="label">${label}</span><code tabindex="0">${text}</code><button type="button" data-copy="${text}" aria-label="Copy ${label}" hidden>Copy</button></div>`
