/** The commands on integrations: your client at a provider. */
import {
  type Command,
  dayOf,
  fields,
  jsonOption,
  type Options,
  one,
  pairs,
  show,
  table,
  text,
  texts,
  UsageError,
} from './command.ts'
import { type Api, setUpOptions, takesHub, withHubOrData } from './command-hub.ts'
import { providerOf } from './commands-provider.ts'
import type { IntegrationShape, ProviderShape } from './http/api/shapes.ts'
import { ask, mayAsk, readSecret } from './prompt.ts'

type Integration = IntegrationShape
type Provider = ProviderShape

const where = `${takesHub} | [--env ENV]`

/** On a terminal, what the definition needs and was not given. */
const asked = async (provider: Provider, given: Readonly<Record<string, string>>): Promise<Record<string, string>> => {
  const settings: Record<string, string> = { ...given }
  for (const [name, input] of Object.entries(provider.settings)) {
    if (settings[name] !== undefined || !input.required) continue
    settings[name] = await ask(`${input.title}${input.example === null ? '' : `, like ${input.example}`}: `)
  }
  return settings
}

const limitNames = ['firstByteSeconds', 'idleSeconds', 'requestBytes', 'answerBytes'] as const

/** Without a value: the usual one. What is no number the hub refuses by name. */
const limitsIn = (option: Options[string]): Record<string, number | string | null> =>
  Object.fromEntries(
    Object.entries(pairs('limit', option)).map(([name, value]) => [
      name,
      value === '' ? null : /^\d+$/.test(value) ? Number(value) : value,
    ]),
  )

const limitLines = ({ limits }: Integration) =>
  limitNames.flatMap(name => (limits[name] === null ? [] : [[`Limit ${name}`, String(limits[name])] as const]))

const limitOption = {
  limit: {
    type: 'string',
    multiple: true,
    about: `NAME=VALUE, of ${limitNames.join(', ')}; NAME= for the usual one. May be given several times`,
  },
} as const

const add = async (api: Api, key: string, options: Options): Promise<void> => {
  const sandbox = options['sandbox'] === true
  const provider = text(options['provider']) ?? key
  let clientId = text(options['client-id'])
  let settings = pairs('setting', options['setting'])
  if (!sandbox && (clientId === undefined || mayAsk())) {
    // One that is misspelt is told before anything is asked for it.
    const known = providerOf(await api.all<Provider>('/providers'), provider)
    if (!mayAsk()) throw new UsageError('Give --client-id, as the provider shows it for your app.')
    const { redirectUri } = await api.call<{ redirectUri: string }>('GET', '/environment')
    if (clientId === undefined)
      console.error(
        `Make an OAuth app at ${known.name}, with the redirect URI ${text(options['redirect-uri']) ?? redirectUri}. How: ${known.docs[0] ?? 'see its documentation'}`,
      )
    clientId ??= await ask('Client id: ')
    settings = await asked(known, settings)
  }
  const scopes = texts(options['scope'])
  const hosted = text(options['redirect-uri'])
  const added = await api.call<Integration>('POST', '/integrations', {
    key,
    provider,
    ...(clientId === undefined ? {} : { clientId }),
    ...(sandbox ? { sandbox } : { clientSecret: (await readSecret('Client secret: ')).reveal() }),
    ...(scopes.length > 0 ? { scopes } : {}),
    settings,
    limits: limitsIn(options['limit']),
    ...(hosted === undefined ? {} : { redirectUri: hosted }),
  })
  show(options, added, () => {
    console.log(
      `Added the integration "${added.key}" (${added.provider}; scopes: ${added.scopes.join(', ') || 'none'}).`,
    )
    if (sandbox) console.log('The sandbox plays it from the next start of mortise dev on.')
    else if (added.forwardTo === null) console.log(`Register this redirect URI at the provider: ${added.redirectUri}`)
    else
      console.log(
        `The provider sends the browser to ${added.redirectUri}; there, send it on to ${added.forwardTo} with the same query.`,
      )
    console.log(`Then connect an account: npx mortise connect ${added.key}`)
  })
}

export const integrationCommands: readonly Command[] = [
  {
    name: 'integrations add',
    words: true,
    takes: `KEY [--provider PROVIDER] --client-id ID|--sandbox [--scope SCOPE]… [--setting NAME=VALUE]… [--limit NAME=VALUE]… [--redirect-uri URL] [--json] ${where}`,
    help: 'Add your client at a provider. On a terminal, what is missing is asked for. The client secret is asked for, or read from standard input. With --sandbox, mortise dev plays the provider from its next start on.',
    options: {
      ...setUpOptions,
      ...jsonOption,
      provider: { type: 'string', about: 'The provider, where it is not the name of the integration' },
      'client-id': { type: 'string', about: 'As the provider shows it for your app' },
      sandbox: { type: 'boolean', about: 'Played by mortise dev; needs no client' },
      scope: { type: 'string', multiple: true, about: 'What to ask for; may be given several times' },
      setting: { type: 'string', multiple: true, about: 'NAME=VALUE, what the definition asks of the operator' },
      ...limitOption,
      'redirect-uri': { type: 'string', about: "Your app's own callback, where the provider has that registered" },
    },
    run(args, options) {
      const key = one(args, 'the name of the integration, for example github')
      return withHubOrData(options, api => add(api, key, options))
    },
  },
  {
    name: 'integrations list',
    takes: `[--json] ${where}`,
    help: 'List the integrations.',
    options: { ...setUpOptions, ...jsonOption },
    run: (_args, options) =>
      withHubOrData(options, async api => {
        const all = await api.all<Integration>('/integrations')
        show(options, all, () => {
          if (all.length === 0)
            return console.log('There is no integration yet. Add one with: npx mortise integrations add <key> …')
          table([
            ['KEY', 'PROVIDER', 'CLIENT ID', 'SCOPES', ''],
            ...all.map(each => [
              each.key,
              each.provider,
              each.clientId,
              each.scopes.join(','),
              each.sandbox ? 'sandbox' : '',
            ]),
          ])
        })
      }),
  },
  {
    name: 'integrations show',
    words: true,
    takes: `KEY [--json] ${where}`,
    help: 'Show an integration, with the redirect URI to register: never its secret.',
    options: { ...setUpOptions, ...jsonOption },
    run(args, options) {
      const key = one(args, 'the key of the integration')
      return withHubOrData(options, async api => {
        const found = await api.call<Integration>('GET', `/integrations/${encodeURIComponent(key)}`)
        show(options, found, () =>
          fields([
            ['Integration', found.key],
            ['Provider', found.provider],
            ['Client id', found.clientId],
            ['Scopes', found.scopes.join(', ') || 'none'],
            ...Object.entries(found.settings).map(([name, value]) => [`Setting ${name}`, value] as const),
            ...limitLines(found),
            ['Redirect URI', `${found.redirectUri}  (register it at the provider)`],
            ...(found.forwardTo === null ? [] : [['Forward to', found.forwardTo] as const]),
            ['Played by', found.sandbox ? 'the sandbox of mortise dev' : 'the provider itself'],
            ['Added', dayOf(found.createdAt)],
          ]),
        )
      })
    },
  },
  {
    name: 'integrations set',
    words: true,
    takes: `KEY --limit NAME=VALUE… [--json] ${where}`,
    help: 'Set how long its provider is waited for, and how much passes. What is not named stays.',
    options: { ...setUpOptions, ...jsonOption, ...limitOption },
    run(args, options) {
      const key = one(args, 'the key of the integration')
      const limits = limitsIn(options['limit'])
      if (Object.keys(limits).length === 0) throw new UsageError('Give --limit NAME=VALUE, once or several times.')
      return withHubOrData(options, async api => {
        const changed = await api.call<Integration>('PATCH', `/integrations/${encodeURIComponent(key)}`, { limits })
        show(options, changed, () => {
          const set = limitLines(changed)
          if (set.length === 0) return console.log(`The integration "${changed.key}" has the usual limits.`)
          return fields([['Integration', changed.key], ...set])
        })
      })
    },
  },
  {
    name: 'integrations remove',
    words: true,
    takes: `KEY ${where}`,
    help: 'Remove an integration that no connection stands on.',
    options: setUpOptions,
    run(args, options) {
      const key = one(args, 'the key of the integration')
      return withHubOrData(options, async api => {
        await api.call('DELETE', `/integrations/${encodeURIComponent(key)}`)
        console.log(`Removed the integration "${key}".`)
      })
    },
  },
]
