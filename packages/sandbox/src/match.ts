import type { Expect } from './expectation.ts'

/** A documented URL, ready to be compared. `{name}` stands for one DNS label in the host, one segment in the path. */
export interface Template {
  readonly url: string
  readonly host: RegExp
  readonly path: RegExp
  readonly hostNames: readonly string[]
  readonly pathNames: readonly string[]
}

export interface Match {
  /** What `{name}` in the host and in the path matched. */
  readonly labels: Readonly<Record<string, string>>
  readonly segments: Readonly<Record<string, string>>
}

const PLACEHOLDER = /\{([A-Za-z_][\w-]*)\}/

const escapeRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')

const pattern = (text: string, hole: string, flags: string): { regexp: RegExp; names: string[] } => {
  // split() with a group: literals at even, names at odd places.
  const parts = text.split(new RegExp(PLACEHOLDER, 'g'))
  const names = parts.filter((_, i) => i % 2 === 1)
  const source = parts.map((part, i) => (i % 2 === 1 ? hole : escapeRegExp(part))).join('')
  return { regexp: new RegExp(`^${source}$`, flags), names }
}

export const compile = (url: string): Template => {
  const found = /^https:\/\/([^/?#\s]+)([^?#\s]*)/.exec(url)
  if (!found) throw new Error(`not an https URL: ${url}`)
  const host = pattern(found[1] ?? '', '([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)', 'i')
  const path = pattern(found[2] || '/', '([^/]+)', '')
  return { url, host: host.regexp, path: path.regexp, hostNames: host.names, pathNames: path.names }
}

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const named = (names: readonly string[], values: readonly (string | undefined)[]): Record<string, string> =>
  Object.fromEntries(names.map((name, i) => [name, values[i + 1] ?? '']))

export const match = (template: Template, host: string, path: string): Match | undefined => {
  const h = template.host.exec(host)
  const p = h && template.path.exec(path)
  if (!h || !p) return undefined
  return { labels: named(template.hostNames, h), segments: named(template.pathNames, p.map(decode)) }
}

/** The same for every path that goes on from the template's; nothing in the path is named then. */
export const below = (template: Template, host: string, path: string): Match | undefined => {
  const h = template.host.exec(host)
  const base = template.url.replace(/^https:\/\/[^/]+\/?/, '/').replace(/\/?$/, '/')
  return h && path.startsWith(base) ? { labels: named(template.hostNames, h), segments: {} } : undefined
}

/** The same placeholder must have matched the same label: a token of one workspace's host is none of another's. */
export const sameLabels = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean =>
  Object.entries(a).every(([name, label]) => b[name] === undefined || b[name]?.toLowerCase() === label.toLowerCase())

export const satisfies = (expect: Expect, value: string | undefined): boolean => {
  if (expect === 'optional') return true
  if (expect === 'required') return value !== undefined && value !== ''
  if ('is' in expect) return value === expect.is
  return value === undefined ? expect.optional === true : expect.oneOf.includes(value)
}

const wanted = (expect: Expect): string => {
  if (typeof expect === 'string') return expect
  return 'is' in expect ? `"${expect.is}"` : `one of "${expect.oneOf.join('", "')}"`
}

type Expects = Readonly<Record<string, Expect>> | undefined

/** What is wrong with the values, in words that never repeat a value that was sent. */
export const unmet = (
  expects: Expects,
  value: (name: string) => string | undefined,
  what: string,
): string | undefined => {
  for (const [name, expect] of Object.entries(expects ?? {})) {
    if (!satisfies(expect, value(name))) return `${what} ${name}: expected ${wanted(expect)}`
  }
  return undefined
}

/** A header may list several media types or carry parameters such as charset; the documented one must be among them. */
export const unmetHeader = (
  expects: Expects,
  headers: Readonly<Record<string, string | undefined>>,
): string | undefined => {
  for (const [name, expect] of Object.entries(expects ?? {})) {
    const sent = headers[name.toLowerCase()]
    const media = name.toLowerCase() === 'accept' || name.toLowerCase() === 'content-type'
    const values = media && sent !== undefined ? sent.split(',').map(v => v.replace(/;.*/s, '').trim()) : [sent]
    if (!values.some(value => satisfies(expect, value))) return `header ${name}: expected ${wanted(expect)}`
  }
  return undefined
}
