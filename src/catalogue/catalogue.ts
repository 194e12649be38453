/** Reads provider files and validates them: errors name the file, the line and the key. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Catalogue } from '../core/context.ts'
import { SetupError } from '../core/errors.ts'
import { groupIn } from '../core/pages.ts'
import { type Path, type Provider, providerId, providerSchema } from '../core/provider.ts'
import { isNamedHost, variables } from '../core/template.ts'
import { actionsEnding, checkActionFiles, lazyActions, paginateMistakes } from './actions.ts'
import { openYaml, type Problem, problemText, readAs } from './yaml-file.ts'

export { problemText }

/** The definitions that come with Mortise. */
export const ownFolder = fileURLToPath(new URL('../../providers/', import.meta.url))

/** The same as one file, read and checked when a bundle was built (bin/build.ts): a start then parses no YAML. */
export const builtFile = 'built.json'

/** One file's text → a provider, or what is wrong with it. */
export const readProvider = (file: string, text: string): { provider: Provider } | { problems: Problem[] } => {
  const yaml = openYaml(file, text)
  if ('problems' in yaml) return yaml
  const id = basename(file, '.yaml')
  if (!providerId.test(id))
    return { problems: [yaml.problem([], 'the file name must be lower-case words joined by hyphens')] }
  const read = readAs(yaml, providerSchema)
  if ('problems' in read) return read
  const provider: Provider = { ...read.data, id }
  const problems = checkMeaning(provider).map(([path, message]) => yaml.problem(path, message))
  return problems.length > 0 ? { problems } : { provider }
}

/** Of a template that begins with a kept URL, that variable. */
const hostOf = (template: string): string => /^(?:https?:\/\/)?([^/?#]*)/.exec(template)?.[1] ?? template

/** What the shape alone cannot say. */
const checkMeaning = (provider: Provider): [path: string[], message: string][] => {
  const wrong: [string[], string][] = []
  const urls: [string[], string | undefined][] = [
    [['api', 'base'], provider.api.base],
    [['temporary', 'url'], provider.auth === 'oauth1' ? provider.temporary.url : undefined],
    [['authorize', 'url'], provider.authorize.url],
    [['token', 'url'], provider.token.url],
    [['refresh', 'url'], provider.refresh?.url],
    [['introspect', 'url'], provider.introspect?.url],
    [['identity', 'request', 'url'], provider.identity?.request?.url],
    [['keys', 'identity', 'request', 'url'], provider.keys?.identity?.request?.url],
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
  const named = [provider.api.base, provider.token.url, provider.authorize.url].map(hostOf)
  const asked: [string[], string | undefined][] = [
    [['introspect', 'url'], provider.introspect?.url],
    [['identity', 'request', 'url'], provider.identity?.request?.url],
    [['keys', 'identity', 'request', 'url'], provider.keys?.identity?.request?.url],
  ]
  for (const [path, url] of asked)
    if (url !== undefined && !named.includes(hostOf(url)) && !isNamedHost(hostOf(url), provider.api.hosts))
      wrong.push([path, 'its host is neither that of the API, nor named in api.hosts'])
  const { paginate } = provider.api
  if (paginate) for (const what of paginateMistakes(paginate)) wrong.push([['api', 'paginate'], what])
  if (paginate && groupIn(paginate) === 'body')
    wrong.push([['api', 'paginate', 'in'], 'must be query: it is for the lists that a GET answers'])
  wrong.push(...checkRefresh(provider))
  if (provider.keys && !(provider.keys.identity ?? provider.identity)?.request)
    wrong.push([['keys'], 'needs a request that tries a key: in keys.identity, or in identity'])
  if (provider.identity && !provider.identity.person && !provider.identity.shared)
    wrong.push([
      ['identity'],
      'must name the person who authorised, or say `shared: true` where the token belongs to none',
    ])
  // What these name is stored and shown in clear.
  const secrets =
    provider.auth === 'oauth1'
      ? ['oauth_token', 'oauth_token_secret']
      : [provider.token.answer.accessToken, provider.token.answer.refreshToken, 'id_token'].flat()
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

/** Codes that mean the same everywhere (RFC 6749 §4.1.2.1 and §5.2, RFC 8628 §3.5). */
const always = { permanent: ['invalid_grant'], transient: ['temporarily_unavailable', 'slow_down'] }

/** What would contradict itself, or stand there without effect. */
const checkRefresh = ({ refresh }: Provider): [path: string[], message: string][] => {
  const wrong: [string[], string][] = []
  if (!refresh) return wrong
  for (const code of refresh.transient)
    if ([...refresh.permanent, ...always.permanent].includes(code))
      wrong.push([
        ['refresh', 'transient'],
        `${code} means that only the end user can repair it, so not that it may work later`,
      ])
  for (const code of refresh.permanent)
    if (always.transient.includes(code))
      wrong.push([['refresh', 'permanent'], `${code} means everywhere that the same request may work later`])
  if (refresh.grace !== undefined && !refresh.rotates)
    wrong.push([
      ['refresh', 'grace'],
      'is without effect where a use does not spend the refresh token (rotates: false)',
    ])
  return wrong
}

/** Every file of the folders (or a file alone); a later one replaces an earlier one of the same name. */
export const readFolders = (folders: readonly string[]): { providers: Provider[]; problems: Problem[] } => {
  const providers = new Map<string, Provider>()
  const problems: Problem[] = []
  for (const file of folders.flatMap(filesIn)) {
    if (/\.ya?ml$/.test(file) === false || file.endsWith(actionsEnding)) continue
    if (file.endsWith('.yml')) {
      problems.push({ file, line: 1, key: '', message: 'must end in .yaml' })
      continue
    }
    const read = readProvider(file, readFileSync(file, 'utf8'))
    if ('problems' in read) problems.push(...read.problems)
    else providers.set(read.provider.id, read.provider)
  }
  return { providers: [...providers.values()].sort(byName), problems }
}

const byName = (a: Provider, b: Provider): number => (a.id < b.id ? -1 : 1)

/** The actions files of the folders. What they belong to may be defined there, or by Mortise. */
export const checkActions = (folders: readonly string[]): { count: number; problems: Problem[] } => {
  const defined = new Map([ownFolder, ...folders].flatMap(filesIn).map(file => [basename(file, '.yaml'), file]))
  return checkActionFiles(
    folders.flatMap(filesIn).filter(file => file.endsWith(actionsEnding)),
    provider => defined.has(provider),
    provider => {
      const file = defined.get(provider)
      const read = file === undefined ? undefined : readProvider(file, readFileSync(file, 'utf8'))
      return read && 'provider' in read ? read.provider : undefined
    },
  )
}

/** The files of a folder in the order of their names, or the file itself. */
const filesIn = (folder: string): string[] => {
  const found = statSync(folder, { throwIfNoEntry: false })
  if (!found) throw new SetupError(`There is no file or folder ${folder}.`)
  return found.isDirectory()
    ? readdirSync(folder)
        .sort()
        .map(name => join(folder, name))
    : [folder]
}

/** What comes with Mortise, which does not change while it runs. */
let known: ReturnType<typeof readFolders> | undefined

const ownProviders = (): ReturnType<typeof readFolders> => {
  const built = join(ownFolder, builtFile)
  known ??= existsSync(built)
    ? { providers: JSON.parse(readFileSync(built, 'utf8')), problems: [] }
    : readFolders([ownFolder])
  return known
}

/** The catalogue of Mortise's own files and the operator's. Throws with every problem, one a line. */
export const loadCatalogue = (operatorFolder?: string): Catalogue => {
  const operators = operatorFolder === undefined ? [] : [operatorFolder]
  const read = [ownProviders(), readFolders(operators)]
  const problems = read.flatMap(each => each.problems)
  if (problems.length > 0)
    throw new SetupError(`Provider files with mistakes:\n${problems.map(problemText).join('\n')}`)
  const byId = new Map(read.flatMap(each => each.providers).map(provider => [provider.id, provider]))
  const all = [...byId.values()].sort(byName)
  return { get: id => byId.get(id), list: () => all, ...lazyActions([ownFolder, ...operators], id => byId.has(id)) }
}
