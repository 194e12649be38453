/** The commands on connections, over the hub's API. */
import { type Command, dayOf, fields, jsonOption, type Options, one, show, table, text, UsageError } from './command.ts'
import { type Api, hubOptions, takesHub, withHub } from './command-hub.ts'
import type { ConnectionShape } from './http/api/shapes.ts'
import { confirm, mayAsk } from './prompt.ts'

type Connection = ConnectionShape

const at = (id: string): string => `/connections/${encodeURIComponent(id)}`

/** In a few words: "Acme, Ada Lovelace". */
const accountOf = ({ account }: Connection): string =>
  account ? [account.name ?? account.id, account.personName].filter(Boolean).join(', ') : ''

const list = async (api: Api, options: Options): Promise<void> => {
  const query = new URLSearchParams()
  for (const [option, parameter] of [
    ['integration', 'integration'],
    ['user', 'endUser'],
    ['search', 'search'],
  ] as const) {
    const value = text(options[option])
    if (value !== undefined) query.set(parameter, value)
  }
  const all = await api.all<Connection>(query.size === 0 ? '/connections' : `/connections?${query}`)
  show(options, all, () => {
    if (all.length === 0)
      return console.log(
        query.size === 0
          ? 'There is no connection yet. Make one with: npx mortise connect <integration>'
          : 'No connection fits. Without options, all are listed.',
      )
    table([
      ['CONNECTION', 'INTEGRATION', 'END USER', 'STATUS', 'ACCOUNT', 'CREATED'],
      ...all.map(each => [
        each.id,
        each.integration,
        each.endUser?.username ?? 'me',
        each.status,
        accountOf(each),
        dayOf(each.createdAt),
      ]),
    ])
  })
}

const showOne = async (api: Api, id: string, options: Options): Promise<void> => {
  const found = await api.call<Connection>('GET', at(id))
  show(options, found, () =>
    fields([
      ['Connection', found.id],
      ...(found.connectionId === found.id ? [] : [['Your name for it', found.connectionId] as const]),
      ['Integration', `${found.integration} (${found.provider})`],
      ['Status', `${found.status}${found.statusReason === null ? '' : `: ${found.statusReason}`}`],
      ['Account', accountOf(found) || 'the provider does not say'],
      ['End user', found.endUser?.username ?? "the environment's own (me)"],
      ['Kind', found.kind],
      ['Scopes', found.scopes?.join(', ') ?? 'the provider does not say'],
      ['Token ends', found.expiresAt === null ? 'never, as far as is known' : dayOf(found.expiresAt)],
      ['Refreshed', found.refreshable ? 'by itself' : 'no: there is no refresh token'],
      ['Created', dayOf(found.createdAt)],
      ['Credential from', dayOf(found.obtainedAt)],
      ...Object.entries(found.config).map(([name, value]) => [`Config ${name}`, value] as const),
      ...Object.entries(found.metadata).map(([name, value]) => [`Metadata ${name}`, JSON.stringify(value)] as const),
    ]),
  )
}

const remove = async (api: Api, id: string, options: Options): Promise<void> => {
  if (options['yes'] !== true) {
    if (!mayAsk()) throw new UsageError('Nobody can be asked here whether that is meant. Add --yes to delete it.')
    const found = await api.call<Connection>('GET', at(id))
    const whose = accountOf(found)
    const sure = await confirm(
      `Delete ${found.id} (${found.integration}${whose === '' ? '' : `, ${whose}`})? Its end user must connect again afterwards.`,
    )
    if (!sure) return console.log('Nothing was deleted.')
  }
  await api.call('DELETE', at(id))
  console.log(`Deleted ${id}.`)
}

export const connectionCommands: readonly Command[] = [
  {
    name: 'connections list',
    takes: `[--integration KEY] [--user USER] [--search TEXT] [--json] ${takesHub}`,
    help: 'List the connections, newest first.',
    options: {
      ...hubOptions,
      ...jsonOption,
      integration: { type: 'string', about: 'Only those through this integration' },
      user: { type: 'string', about: 'Only those of this end user; me: the environment itself' },
      search: { type: 'string', about: 'Only those with this in their id, or in the name or e-mail of their end user' },
    },
    run: (_args, options) => withHub(options, api => list(api, options)),
  },
  {
    name: 'connections show',
    words: true,
    takes: `ID [--json] ${takesHub}`,
    help: 'Show a connection: never its tokens.',
    options: { ...hubOptions, ...jsonOption },
    run(args, options) {
      const id = one(args, 'the id of the connection, as `npx mortise connections list` prints it')
      return withHub(options, api => showOne(api, id, options))
    },
  },
  {
    name: 'connections delete',
    words: true,
    takes: `ID [--yes] ${takesHub}`,
    help: 'Delete a connection and its credential, after asking whether that is meant.',
    options: { ...hubOptions, yes: { type: 'boolean', about: 'Without asking' } },
    run(args, options) {
      const id = one(args, 'the id of the connection, as `npx mortise connections list` prints it')
      return withHub(options, api => remove(api, id, options))
    },
  },
]
