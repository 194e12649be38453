/** The hub's own files: style, script, and the docs pages. */
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { FastifyInstance } from 'fastify'
import { Html, html } from './html.ts'
import { sendNotFound, sendPage } from './pages.ts'

const assets = {
  'mortise.css': 'text/css; charset=utf-8',
  'copy.js': 'text/javascript; charset=utf-8',
  'close.js': 'text/javascript; charset=utf-8',
  'tell.js': 'text/javascript; charset=utf-8',
  'connect.js': 'text/javascript; charset=utf-8',
  'again.js': 'text/javascript; charset=utf-8',
}

/** The files of `docs/`, in the order of reading, each with what it is for. */
const docs = {
  'core-concepts': 'The words of the hub, and reading a connection with a working token.',
  'sdk-reference': 'Starting a flow from a page or an e-mail, how it returns, and every error_type.',
  'connections-api': 'Listing, importing, changing and deleting connections, integrations and providers.',
  proxy: "Any call of a provider's API with a connection's credential, streamed both ways.",
  'oauth-flow-guide': 'Connecting an account from your back end, step by step, with two whole servers.',
  'getting-connection-id': 'Every way to find the id of a connection, user ids, and using a connection.',
  actions: 'Calling a provider by name through a connection, and walking its lists to their end.',
  'connect-sessions': "Nango's browser client: sessions, popup, keys, its Connect UI, and every error.",
  'frontend-sdk-guide': 'Connecting an account from a page: JWT, popup, whole page, and every error.',
  react: 'The same as a hook for React: its states, and what it does when a component leaves.',
  'node-sdk': 'The typed SDK for a back end on Node: tokens, calls made for you, actions, errors, webhooks.',
  'backup-and-move': 'An environment as one sealed file: a copy to keep, or a move to another hub, with every id.',
  'securing-your-instance': 'Keys, scopes, allow-lists, the root key, TLS, and what a production start demands.',
  webhooks: 'Being told of a new connection: set up, check the signature, tries and the log.',
  cli: 'The commands: from nothing to a connection, which hub they call, exit codes.',
  configuration: 'Every setting, and starting the hub.',
  providers: 'The providers that come with the hub, and what can be done with each.',
  'adding-a-provider': 'Your own provider file, key by key, and how to contribute one.',
  errors: 'Every error code: who must act, and whether trying again helps.',
  'how-we-read-the-documents': 'Each section of the documents that this hub answers for, and what became of it.',
  refresh: 'What is promised of refresh tokens, how several hubs keep it, and what is done where nobody knows.',
  scaling: 'What one process and one database carry, the statements they need, and the sum up to a billion.',
  performance: 'What a hub costs, each figure beside its rival, and how it was measured.',
  conformance: 'Each requirement that the hub answers for, with the test that proves it.',
} satisfies Record<string, string>

/** Where other documents' links expect two of them. */
const elsewhere = {
  'nango-deploy/oss-instructions.md': 'securing-your-instance',
  'reference/core-concepts.md': 'core-concepts',
} satisfies Record<string, Page>

type Page = keyof typeof docs

export const staticRoutes = (app: FastifyInstance): void => {
  for (const [name, type] of Object.entries(assets)) {
    const text = readFileSync(new URL(`./assets/${name}`, import.meta.url))
    app.get(`/assets/${name}`, (_request, reply) => reply.type(type).header('cache-control', 'max-age=300').send(text))
  }
  app.get('/docs', async (_request, reply) => {
    const rows = await titles()
    return sendPage(
      reply,
      200,
      'Documentation',
      html`<h1>Documentation</h1>
<ul>
<li><a href="/docs/api">Mortise's own API</a>: Every route, shape and error of /api/v1, made of its OpenAPI document.</li>
${rows.map(([page, title]) => html`<li><a href="/docs/${page}">${title}</a>: ${docs[page]}</li>\n`)}</ul>`,
    )
  })
  for (const [path, page] of Object.entries(elsewhere))
    app.get(`/docs/${path}`, (_request, reply) => reply.redirect(`/docs/${page}`, 308))
  app.get('/docs/', (_request, reply) => reply.redirect('/docs', 308))
  app.get<{ Params: { page: string } }>('/docs/:page', async (request, reply) => {
    const page = request.params.page.replace(/\.md$/, '')
    if (!isPage(page)) return sendNotFound(reply)
    const all = await titles()
    const items = all.map(([each, title]) =>
      each === page
        ? html`<li><a href="/docs/${each}" aria-current="page">${title}</a></li>\n`
        : html`<li><a href="/docs/${each}">${title}</a></li>\n`,
    )
    return sendPage(
      reply,
      200,
      all.find(([each]) => each === page)?.[1] ?? page,
      html`<nav aria-label="Documentation"><ul>
<li><a href="/docs">Documentation</a></li>
<li><a href="/docs/api">Mortise's own API</a></li>
${items}</ul></nav>
${await rendered(await textOf(page))}`,
    )
  })
}

const isPage = (name: string): name is Page => Object.hasOwn(docs, name)

const textOf = (page: Page): Promise<string> => readFile(new URL(`../../docs/${page}.md`, import.meta.url), 'utf8')

/** Each page with its own heading. */
const titles = (): Promise<[Page, string][]> =>
  Promise.all(
    Object.keys(docs)
      .filter(isPage)
      .map(async (page): Promise<[Page, string]> => [page, /^# (.+)$/m.exec(await textOf(page))?.[1] ?? page]),
  )

const rendered = async (text: string): Promise<Html> => {
  // Loaded when first asked for: the hub starts without it.
  const { Marked } = await import('marked')
  const marked = new Marked({
    walkTokens(token) {
      if (token.type === 'link')
        token['href'] = String(token['href']).replace(/^(?:\.\/)?([a-z-]+)\.md(?=#|$)/, '/docs/$1')
    },
  })
  // A table that is wider than the screen scrolls by itself, by keyboard too.
  return new Html(
    (await marked.parse(text))
      .replaceAll('<table>', '<div class="scroll" role="group" aria-label="Table" tabindex="0"><table>')
      .replaceAll('</table>', '</table></div>'),
  )
}
