/** The commands on provider files. They read the files of this machine, unless a hub is named. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import {
  type Command,
  config,
  fields,
  jsonOption,
  type Options,
  one,
  plain,
  show,
  table,
  text,
  UsageError,
} from './command.ts'
import { hubOptions, takesHub, withHub } from './command-hub.ts'
import { didYouMean } from './core/alike.ts'
import { MortiseError, SetupError } from './core/errors.ts'
import { providerId } from './core/provider.ts'
import type { ProviderShape } from './http/api/shapes.ts'

type Provider = ProviderShape

const known = async (options: Options): Promise<Provider[]> => {
  if (options['url'] !== undefined || config('command').url !== undefined) {
    let all: Provider[] = []
    await withHub(options, async api => {
      all = await api.all<Provider>('/providers')
    })
    return all
  }
  const { loadCatalogue } = await import('./catalogue/catalogue.ts')
  const { toProvider } = await import('./http/api/map.ts')
  return loadCatalogue(config('command').providersDir).list().map(toProvider)
}

const skeleton = (id: string, name: string): string => `# yaml-language-server: $schema=./schema.json
# Written by \`mortise provider new\`. Replace every example.com by what ${name} documents; each key is explained at
# docs/adding-a-provider.md, which a hub serves as /docs/adding-a-provider.
name: ${name}
# The pages of ${name} that you write this from.
docs:
  - https://developers.example.com/${id}/oauth
auth: oauth2
api:
  # Where the paths of its API begin.
  base: https://api.example.com
authorize:
  url: https://example.com/oauth/authorize
  scopes:
    # What a new integration asks for. Some providers give a refresh token only with a scope like offline_access.
    default: []
  # Leave PKCE on, unless ${name} refuses its parameters: then \`pkce: forbidden\`.
token:
  url: https://example.com/oauth/token
  # How the client authenticates: basic (a header) or body.
  client: basic
# Remove this block if ${name} gives no refresh tokens.
refresh:
  # true: each refresh token works once, and the answer has the next one.
  rotates: false
# Whose account it is: without it, connecting the same account again makes a second connection.
identity:
  request:
    url: https://api.example.com/me
  # The workspace, and the person in it. \`shared: true\` in place of the person, where the token belongs to none.
  account: workspace.id
  accountName: workspace.name
  person: id
`

const checkId = (id: string): void => {
  if (!providerId.test(id))
    throw new UsageError(`"${id}" can't name a provider: lower-case words joined by hyphens, like acme-crm.`)
}

const folderOf = (option: 'dir' | 'out', options: Options): string => {
  const folder = text(options[option]) ?? config('command').providersDir
  if (folder !== undefined) return resolve(folder)
  throw new SetupError(
    `There is no folder for provider files of your own. Set MORTISE_PROVIDERS_DIR to one, for this command and for the hub; or name it: --${option} FOLDER`,
  )
}

/** A new file: one that is there is left as it is. */
const writeNew = (file: string, content: string, instead: string): void => {
  mkdirSync(dirname(file), { recursive: true })
  try {
    writeFileSync(file, content, { flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new MortiseError('conflict', `${file} is there already, and was left as it is. ${instead}`)
  }
}

const write = (id: string, options: Options): void => {
  checkId(id)
  const folder = folderOf('dir', options)
  const file = join(folder, `${id}.yaml`)
  const name =
    text(options['name']) ??
    id
      .split('-')
      .map(word => word.slice(0, 1).toUpperCase() + word.slice(1))
      .join(' ')
  if (!/^[^\p{Cc}:#"'{}[\]&*!|>%@`]{1,80}$/u.test(name))
    throw new UsageError('--name is up to 80 characters, without those that mean something in YAML.')
  writeNew(file, skeleton(id, name), 'Choose another id.')
  console.log(`Wrote ${file}
Next: fill it in from the provider's documentation, then
  npx mortise provider check ${folder}
  MORTISE_PROVIDERS_DIR=${folder} npx mortise integrations add ${id} --sandbox`)
}

const readDocument = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new SetupError(`${file} cannot be read: ${(error as Error).message}`)
  }
}

const importActions = async (source: string, options: Options): Promise<void> => {
  const given = text(options['provider'])
  if (given !== undefined) checkId(given)
  const folder = folderOf('out', options)
  const docs = text(options['docs'])
  if (docs !== undefined && !/^https:\/\/\S+$/.test(docs)) throw new UsageError('--docs is an https URL.')
  const { loadCatalogue } = await import('./catalogue/catalogue.ts')
  const { importOpenapi, openDocument } = await import('./catalogue/import-openapi.ts')
  const document = openDocument(source, readDocument(source))
  const catalogue = loadCatalogue(config('command').providersDir)
  const imported = importOpenapi(document, {
    provider: given,
    baseOf: id => catalogue.get(id)?.api.base,
    only: text(options['only'])?.split(',').filter(Boolean),
    server: text(options['server']),
    docs,
  })
  const { provider, actions, left, looser, server } = imported
  if (actions === 0) {
    const why = left.map(each => `  ${each.operation}: ${each.why}`).join('\n')
    throw new SetupError(`None of the operations can be an action, so nothing was written:\n${why}`)
  }
  const file = join(folder, `${provider}.actions.yaml`)
  writeNew(file, imported.text, 'Move it away, or write elsewhere: --out FOLDER')
  const told = { file, provider, actions, left, looser: Object.fromEntries(looser), server }
  show(options, told, () => {
    console.log(`Wrote ${file}: ${actions} action${actions === 1 ? '' : 's'} of ${provider}.`)
    for (const each of left) console.log(`Not in it: ${plain(each.operation)}: ${plain(each.why)}`)
    if (looser.size > 0) console.log('Its first lines say where it refuses less than the document.')
    const next = catalogue.get(provider)
      ? `npx mortise provider check ${folder}`
      : `npx mortise provider new ${provider} --dir ${folder}, with api.base: ${server}`
    console.log(`Next: ${next}`)
  })
}

/** Throws `not_found` for one that is misspelt. */
export const providerOf = (all: readonly Provider[], id: string): Provider => {
  const found = all.find(each => each.id === id)
  if (found) return found
  const alike = didYouMean(
    id,
    all.map(each => each.id),
  )
  throw new MortiseError('not_found', `There is no provider "${id}"${alike}. See: npx mortise provider list`)
}

export const providerCommands: readonly Command[] = [
  {
    name: 'provider list',
    takes: `[--json] ${takesHub}`,
    help: "List the providers: Mortise's own and those of MORTISE_PROVIDERS_DIR; with --url, those of that hub.",
    options: { ...hubOptions, ...jsonOption },
    run: async (_args, options) => {
      const all = await known(options)
      show(options, all, () =>
        table([
          ['ID', 'NAME', 'CATEGORIES', 'TAKES', 'ASKS FOR'],
          ...all.map(each => [
            each.id,
            each.name,
            each.categories.join(','),
            each.kinds.join(','),
            [...Object.keys(each.settings), ...Object.keys(each.params)].join(','),
          ]),
        ]),
      )
    },
  },
  {
    name: 'provider show',
    words: true,
    takes: `ID [--json] ${takesHub}`,
    help: 'Show a provider: what it takes, what it asks for, where it was read.',
    options: { ...hubOptions, ...jsonOption },
    run: async (args, options) => {
      const id = one(args, 'the id of the provider, like github')
      const found = providerOf(await known(options), id)
      const inputs = (each: Provider['params']) =>
        Object.entries(each)
          .map(([name, { title, required }]) => `${name} (${title}${required ? '' : ', optional'})`)
          .join(', ') || 'nothing'
      show(options, found, () =>
        fields([
          ['Provider', found.id],
          ['Name', found.name],
          ['Categories', found.categories.join(', ') || 'none'],
          ['Takes', found.kinds.join(', ')],
          ['Refresh tokens', found.refreshes ? 'yes' : 'no'],
          ['Scopes', found.scopes.join(', ') || 'none unless named'],
          ['Asks its operator', inputs(found.settings)],
          ['Asks who connects', inputs(found.params)],
          ['API', found.apiBase],
          ...found.docs.map((url, index) => [index === 0 ? 'Written from' : '', url] as const),
        ]),
      )
    },
  },
  {
    name: 'provider check',
    words: true,
    takes: '[FOLDER]…',
    help: "Check provider and actions files: Mortise's own, those of MORTISE_PROVIDERS_DIR, or the folders given.",
    run: async args => {
      const { checkActions, ownFolder, problemText, readFolders } = await import('./catalogue/catalogue.ts')
      const own = process.env['MORTISE_PROVIDERS_DIR']
      const folders = args.length > 0 ? args : [ownFolder, ...(own ? [own] : [])]
      const { providers, problems } = readFolders(folders)
      const actions = checkActions(folders)
      for (const problem of [...problems, ...actions.problems]) console.error(problemText(problem))
      const praise = (count: number, what: string) =>
        console.log(`${count} ${what} file${count === 1 ? '' : 's'}, no mistake.`)
      if (problems.length > 0 || actions.problems.length > 0) process.exitCode = 1
      else {
        praise(providers.length, 'provider')
        if (actions.count > 0) praise(actions.count, 'actions')
      }
    },
  },
  {
    name: 'provider import-openapi',
    words: true,
    takes: 'FILE [--provider ID] [--out FOLDER] [--only ID,…] [--server URL] [--docs URL] [--json]',
    help: "Write a provider's actions file from its OpenAPI document (3.0, 3.1, or Swagger 2.0; JSON or YAML).",
    options: {
      ...jsonOption,
      provider: { type: 'string', about: 'The id of the provider; made of the title of the document unless told' },
      out: { type: 'string', about: 'Another folder than MORTISE_PROVIDERS_DIR' },
      only: { type: 'string', about: 'Operation ids, joined by commas; all unless told' },
      server: { type: 'string', about: 'Where the API is served, if the document does not say, or says several' },
      docs: { type: 'string', about: 'The page to name for operations that name none' },
    },
    run: (args, options) => importActions(one(args, 'the file of one OpenAPI document'), options),
  },
  {
    name: 'provider new',
    words: true,
    takes: 'ID [--name NAME] [--dir FOLDER]',
    help: 'Write the beginning of a provider file into MORTISE_PROVIDERS_DIR, with what to fill in.',
    options: {
      name: { type: 'string', about: 'What people call it' },
      dir: { type: 'string', about: 'Another folder than MORTISE_PROVIDERS_DIR' },
    },
    run(args, options) {
      write(one(args, 'the id of the provider, like acme-crm'), options)
    },
  },
]
