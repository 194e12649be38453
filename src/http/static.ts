/** The hub's own files: style, script, and the docs pages. */
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { FastifyInstance } from 'fastify'
import { MortiseError } from '../core/errors.ts'
import { Html } from './html.ts'
import { sendPage } from './pages.ts'

const assets = { 'mortise.css': 'text/css; charset=utf-8', 'copy.js': 'text/javascript; charset=utf-8' }

export const staticRoutes = (app: FastifyInstance): void => {
  for (const [name, type] of Object.entries(assets)) {
    const text = readFileSync(new URL(`./assets/${name}`, import.meta.url))
    app.get(`/assets/${name}`, (_request, reply) => reply.type(type).header('cache-control', 'max-age=300').send(text))
  }
  app.get<{ Params: { page: string } }>('/docs/:page', async (request, reply) => {
    const page = request.params.page.replace(/\.md$/, '')
    if (!/^[a-z0-9-]+$/.test(page)) throw new MortiseError('not_found', 'There is no such page.')
    const text = await readFile(new URL(`../../docs/${page}.md`, import.meta.url), 'utf8').catch(() => undefined)
    if (text === undefined) throw new MortiseError('not_found', 'There is no such page.')
    // Loaded when first asked for: the hub starts without it.
    const { marked } = await import('marked')
    return sendPage(
      reply,
      200,
      page,
      new Html(await marked.parse(text.replace(/\((\.\/)?([a-z-]+)\.md(#[\w-]+)?\)/g, '(/docs/$2$3)'))),
    )
  })
}
