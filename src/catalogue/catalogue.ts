/** Reads provider files and validates them: errors name the file, the line and the key. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Document, isNode, LineCounter, parseDocument, visit } from 'yaml'
import type { Catalogue } from '../core/context.ts'
import { SetupError } from '../core/errors.ts'
import { type Path, type Provider, providerId, providerSchema } from '../core/provider.ts'
import { isNamedHost, variables } from '../core/template.ts'

/** The definitions that come with Mortise. */
export const ownFolder = fileURLToPath(new URL('../../providers/', import.meta.url))

interface Problem {
  readonly file: string
  readonly line: number
  /** Dotted, '' for the file as a whole. */
  readonly key: string
  readonly message: string
}

export const problemText = (problem: Problem): string =>
  `${problem.file}:${problem.line}: ${problem.key === '' ? '' : `${problem.key}: `}${problem.message}`

/** One file's text → a provider, or what is wrong with it. */
export const readProvider = (file: string, text: string): { provider: Provider } | { problems: Problem[] } => {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false })
  const at = (offset: number | undefined) => lines.linePos(offset ?? 0).line
  if (document.errors.length > 0)
    return {
      problems: document.errors.map(error => ({ file, line: at(error.pos[0]), key: '', message: error.message })),
    }
  const problem = (path: readonly PropertyKey[], message: string): Problem => ({
    file,
    line: at(offsetOf(document, path)),
    key: path.join('.'),
    message,
  })
  const id = basename(file, '.yaml')
  if (!providerId.test(id))
    return { problems: [problem([], 'the file name must be lower-case words joined by hyphens')] }
  // An alias without its anchor is found only when the document is resolved, and thrown then.
  const dangling: Problem[] = []
  visit(document, {
    Alias(_, alias) {
      if (!alias.resolve(document))
        dangling.push({ file, line: at(alias.range?.[0]), key: '', message: `there is no anchor &${alias.source}` })
    },
  })
  if (dangling.length > 0) return { problems: dangling }
  const parsed = providerSchema.safeParse(document.toJS())
  if (!parsed.success)
    return {
      problems: parsed.error.issues.flatMap(issue =>
        issue.code === 'unrecognized_keys'
          ? issue.keys.map(key => problem([...issue.path, key], 'is not a key of the schema'))
          : [problem(issue.path, issue.message)],
      ),
    }
  const provider: Provider = { ...parsed.data, id }
  const problems = checkMeaning(provider).map(([path, message]) => problem(path, message))
  return problems.length > 0 ? { problems } : { provider }
}

/** The offset of a key, or of the nearest thing around it that is there. */
const offsetOf = (document: Document, path: readonly PropertyKey[]): number | undefined => {
  for (let length = path.length; length > 0; length--) {
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true)
    const items = (parent as { items?: { key?: unknown }[] } | undefined)?.items
    const pair = items?.find(item => String(item.key) === String(path[length - 1]))
    if (isNode(pair?.key)) return pair.key.range?.[0]
    const node = document.getIn(path.slice(0, length), true)
    if (isNode(node)) return node.range?.[0]
  }
  return document.contents?.range?.[0]
}

/** Of a template that begins with a kept URL, that variable. */
const hostOf = (template: string): string => /^(?:https?:\/\/)?([^/?#]*)/.exec(template)?.[1] ?? template

/** What the shape alone cannot say. */
const checkMeaning = (provider: Provider): [path: string[], message: string][] => {
  const wrong: [string[], string][] = []
  const urls: [string[], string | undefined][] = [
    [['api', 'base'], provider.api.base],
    [['authorize', 'url'], provider.authorize.url],
    [['token', 'url'], provider.token.url],
    [['refresh', 'url'], provider.refresh?.url],
    [['identity', 'request', 'url'], provider.identity?.request?.url],
    [['revoke', 'url'], provider.revoke?.url],
  ]
  for (const [path, template] of urls) {
    if (template === undefined) continue
    for (const name of variables(template)) {
      const [space = '', key = ''] = name.split('.')
      const spaces = space === 'settings' ? [provider.settings] : [provider.params, provider.config]
      const known = spaces.find(each => Object.hasOwn(each, key))?.[key]
      if (!known) wrong.push([path, `uses \${${name}}, which is declared nowhere`])
      const host = hostOf(template)
      if (!host.includes(`\${${name}}`) || !known) continue
      if ('path' in known) {
        if (known.host === undefined)
          wrong.push([['config', key], 'stands in a URL, so its host suffixes must be named'])
        continue
      }
      if (known.kind === 'segment' || (known.kind === 'host' && (space !== 'settings' || host !== `\${${name}}`)))
        wrong.push([path, `\${${name}} is a ${known.kind} and may not stand there in a host`])
      if (known.kind === 'label' && !/^\.[a-z0-9-]+\.[a-z]/.test(host.slice(host.lastIndexOf('}') + 1)))
        wrong.push([path, 'a label in a host must be followed by a fixed suffix, like .example.com'])
    }
    if (/\$\{(?!(config|settings)\.\w+\})/.test(template)) wrong.push([path, 'holds a malformed ${…}'])
  }
  // The credential goes to the hosts that are named, and nowhere else.
  const identity = provider.identity?.request?.url
  const named = [provider.api.base, provider.token.url, provider.authorize.url].map(hostOf)
  if (identity !== undefined && !named.includes(hostOf(identity)) && !isNamedHost(hostOf(identity), provider.api.hosts))
    wrong.push([['identity', 'request', 'url'], 'its host is neither that of the API, nor named in api.hosts'])
  if (provider.identity && !provider.identity.person && !provider.identity.shared)
    wrong.push([
      ['identity'],
      'must name the person who authorised, or say `shared: true` where the token belongs to none',
    ])
  // What these name is stored and shown in clear.
  const { accessToken, refreshToken } = provider.token.answer
  const secrets = [accessToken, refreshToken, 'id_token'].flat()
  const inClear: [string[], Path][] = [
    ...Object.entries(provider.metadata).map(([name, path]): [string[], Path] => [['metadata', name], path]),
    ...Object.entries(provider.config).map(([name, rule]): [string[], Path] => [['config', name], rule.path]),
  ]
  for (const [at, paths] of inClear)
    for (const path of [paths].flat())
      if (secrets.some(secret => secret === path || secret.startsWith(`${path}.`)))
        wrong.push([at, `would show ${path}, which holds a token, in clear`])
  for (const name of Object.keys(provider.params))
    if (provider.config[name]) wrong.push([['config', name], 'is asked for in params already'])
  return wrong
}

/** Every file of the folders (or a file alone); a later one replaces an earlier one of the same name. */
export const readFolders = (folders: readonly string[]): { providers: Provider[]; problems: Problem[] } => {
  const providers = new Map<string, Provider>()
  const problems: Problem[] = []
  for (const folder of folders)
    for (const name of namesIn(folder)) {
      if (/\.ya?ml$/.test(name) === false || name.endsWith('.actions.yaml')) continue
      const file = folder.endsWith(name) ? folder : join(folder, name)
      if (name.endsWith('.yml')) {
        problems.push({ file, line: 1, key: '', message: 'must end in .yaml' })
        continue
      }
      const read = readProvider(file, readFileSync(file, 'utf8'))
      if ('problems' in read) problems.push(...read.problems)
      else providers.set(read.provider.id, read.provider)
    }
  return { providers: [...providers.values()].sort((a, b) => (a.id < b.id ? -1 : 1)), problems }
}

const namesIn = (folder: string): string[] => {
  const found = statSync(folder, { throwIfNoEntry: false })
  if (!found) throw new SetupError(`There is no file or folder ${folder}.`)
  return found.isDirectory() ? readdirSync(folder).sort() : [basename(folder)]
}

/** The catalogue of Mortise's own files and the operator's. Throws with every problem, one a line. */
export const loadCatalogue = (operatorFolder?: string): Catalogue => {
  const { providers, problems } = readFolders(operatorFolder === undefined ? [ownFolder] : [ownFolder, operatorFolder])
  if (problems.length > 0)
    throw new SetupError(`Provider files with mistakes:\n${problems.map(problemText).join('\n')}`)
  const byId = new Map(providers.map(provider => [provider.id, provider]))
  return { get: id => byId.get(id), list: () => providers }
}
