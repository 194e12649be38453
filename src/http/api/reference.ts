/** The reference of our own API for people: a page made of the OpenAPI document, with nothing from elsewhere. */
import type { FastifyInstance } from 'fastify'
import { errorTable } from '../../core/errors.ts'
import { type Html, html } from '../html.ts'
import { prose, sendPage } from '../pages.ts'
import { statusOf } from '../status.ts'
import { type Document, openapi } from './openapi.ts'
import { type Route, tags } from './route.ts'

export const referencePath = '/docs/api'

type Json = { readonly [key: string]: unknown }

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
const textAt = (value: unknown): string => (typeof value === 'string' ? value : '')
const nameIn = (ref: unknown): string => textAt(ref).split('/').at(-1) ?? ''
const idOf = (name: string): string => name.toLowerCase().replaceAll(' ', '-')

/** A schema in a few words, with a link to what has a name. */
const typeOf = (schema: unknown): Html => {
  if (!isObject(schema)) return html`anything`
  if (schema['$ref'] !== undefined) {
    const name = nameIn(schema['$ref'])
    return html`<a href="#shape-${name}">${name}</a>`
  }
  const either = schema['anyOf'] ?? schema['oneOf']
  if (Array.isArray(either)) return joined(either.map(typeOf), ' or ')
  if (Array.isArray(schema['enum']))
    return joined(
      schema['enum'].map(each => html`<code>${String(each)}</code>`),
      ', ',
    )
  if (schema['const'] !== undefined) return html`<code>${String(schema['const'])}</code>`
  if (schema['type'] === 'array') return html`list of ${typeOf(schema['items'])}`
  if (isObject(schema['properties']))
    return html`{${joined(
      Object.entries(schema['properties']).map(([name, each]) => html`${name}: ${typeOf(each)}`),
      ', ',
    )}}`
  if (schema['type'] === 'object')
    return isObject(schema['additionalProperties'])
      ? html`by name: ${typeOf(schema['additionalProperties'])}`
      : html`any object`
  const type = Array.isArray(schema['type']) ? schema['type'].join(' or ') : textAt(schema['type'])
  return html`${schema['format'] === 'date-time' ? type.replace('string', 'time (ISO 8601)') : type || 'anything'}`
}

const joined = (parts: readonly Html[], between: string): Html =>
  html`${parts.map((part, index) => (index === 0 ? part : html`${between}${part}`))}`

const table = (label: string, head: readonly string[], rows: readonly Html[]): Html =>
  html`<div class="scroll" role="group" aria-label="${label}" tabindex="0"><table><thead><tr>${head.map(
    each => html`<th>${each}</th>`,
  )}</tr></thead><tbody>
${rows.map(row => html`<tr>${row}</tr>\n`)}</tbody></table></div>`

const fieldsOf = (name: string, schema: Json): Html => {
  const properties = isObject(schema['properties']) ? schema['properties'] : {}
  const required: readonly unknown[] = Array.isArray(schema['required']) ? schema['required'] : []
  const rows = Object.entries(properties).map(
    ([field, each]) =>
      html`<td><code>${field}</code>${required.includes(field) ? undefined : html` <span class="quiet">optional</span>`}</td><td>${typeOf(each)}</td><td>${prose(textAt(isObject(each) ? each['description'] : ''))}</td>`,
  )
  return html`<h3 id="shape-${name}">${name}</h3>
${rows.length > 0 ? table(name, ['Field', 'Type', 'Means'], rows) : html`<p>${typeOf(schema)}</p>`}`
}

/** Codes that it may answer with, besides those that every route does. */
const failing = (operation: Json): Html | undefined => {
  const codes = Array.isArray(operation['x-errors']) ? operation['x-errors'] : []
  return codes.length === 0
    ? undefined
    : html` May fail with ${joined(
        codes.map(code => html`<a href="#errors"><code>${String(code)}</code></a>`),
        ', ',
      )}.`
}

const operations = ({ paths }: Document, tag: string): Html[] =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => {
      if (!operation.tags.includes(tag)) return []
      const { parameters = [], responses } = operation
      const [status = ''] = Object.keys(responses).filter(each => each.startsWith('2'))
      const shapeOf = (part: unknown): Html | undefined => {
        const content = isObject(part) && isObject(part['content']) ? part['content'] : {}
        if (content['*/*']) return html`whatever the provider does`
        const [whole, lines] = [content['application/json'], content['application/x-ndjson']]
        const told = [
          ...(isObject(whole) ? [typeOf(whole['schema'])] : []),
          ...(isObject(lines) ? [html`lines of ${typeOf(lines['schema'])} (NDJSON)`] : []),
        ]
        return told.length === 0 ? undefined : joined(told, ', or ')
      }
      const body = shapeOf(operation['requestBody'])
      const rows = parameters.map(
        each =>
          html`<td><code>${each.name}</code> <span class="quiet">${each.in}${each.required ? '' : ', optional'}</span></td><td>${typeOf(each.schema)}</td><td>${prose(each.description ?? '')}</td>`,
      )
      return [
        html`<h3 id="${operation.operationId}"><code>${method.toUpperCase()} /api/v1${path}</code></h3>
<p><strong>${operation.summary}.</strong> ${prose(operation.description)}</p>
${rows.length > 0 ? table(`Parameters of ${operation.operationId}`, ['Parameter', 'Type', 'Means'], rows) : undefined}
<p>${body ? html`Takes ${body}. ` : undefined}Answers ${status} ${shapeOf(responses[status]) ?? 'with nothing'}.${failing(operation)}</p>
`,
      ]
    }),
  )

const page = (document: Document): Html => {
  const info = isObject(document['info']) ? document['info'] : {}
  return html`<nav aria-label="Documentation"><ul>
<li><a href="/docs">Documentation</a></li>
${Object.keys(tags).map(tag => html`<li><a href="#${idOf(tag)}">${tag}</a></li>\n`)}<li><a href="#errors">Errors</a></li>
<li><a href="#shapes">Shapes</a></li>
</ul></nav>
<h1>Mortise's own API</h1>
<p>${prose(textAt(info['description']))}</p>
<p>Send a secret key with each call, but on a localhost hub that has no key yet: <code>Authorization: Bearer &lt;secret key&gt;</code>. For programs, the same as an <a href="/api/v1/openapi.json">OpenAPI document</a>.</p>
${Object.entries(tags).map(
  ([tag, about]) => html`<h2 id="${idOf(tag)}">${tag}</h2>
<p>${about}</p>
${operations(document, tag)}`,
)}<h2 id="errors">Errors</h2>
<p>An error is <a href="#shape-Error">Error</a>: act on <code>code</code>; the message says what is wrong and who must do what.</p>
${table(
  'Errors',
  ['Code', 'Status', 'Who acts', 'Retry helps', 'Means'],
  Object.entries(errorTable).map(
    ([code, { who, retry, sentence }]) =>
      html`<td><code>${code}</code></td><td>${statusOf[code as keyof typeof errorTable]}</td><td>${who}</td><td>${retry ? 'yes' : 'no'}</td><td>${sentence}</td>`,
  ),
)}
<h2 id="shapes">Shapes</h2>
${Object.entries(document.components.schemas).map(([name, schema]) => fieldsOf(name, schema))}`
}

export const referencePage = (app: FastifyInstance, routes: readonly Route[]): void => {
  app.get(referencePath, (_request, reply) => sendPage(reply, 200, "Mortise's own API", page(openapi(routes))))
}
