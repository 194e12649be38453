/** docs/providers.md: what the catalogue holds, so that nobody has to keep a list by hand. */
import type { Provider } from '../core/provider.ts'

const columns = ['Provider', 'Its key', 'Kept alive', 'Ended by the hub', 'Keys', 'Asks for']

const days = (seconds: number): string => `${Math.round(seconds / 86_400)} days`

const keptAlive = (provider: Provider): string => {
  if (provider.auth === 'oauth1') return 'does not expire'
  const { refresh, token } = provider
  if (!refresh) return token.lifetime === undefined ? 'does not expire' : 'never: connected again'
  const idle = refresh.idle === undefined ? '' : `, within ${days(refresh.idle)}`
  return `refreshed${refresh.rotates ? '; each refresh token used once' : ''}${idle}`
}

const asks = (provider: Provider): string =>
  [
    ...Object.entries(provider.params).map(([name, { title }]) => `\`params[${name}]\`: ${title}`),
    ...Object.entries(provider.settings).map(([name, { title }]) => `\`--setting ${name}\`: ${title}`),
  ].join('; ')

const row = (provider: Provider): string[] => [
  `[${provider.name}](${provider.docs[0]})`,
  `\`${provider.id}\``,
  keptAlive(provider),
  provider.revoke ? 'yes' : 'no',
  [...new Set(Object.values(provider.keys?.kinds ?? {}).map(kind => kind?.title))].join('; '),
  asks(provider),
]

/** The page, whole. */
export const providersPage = (providers: readonly Provider[]): string => `# Providers

The providers that come with the hub. Each is a file in \`providers/\`, written from the provider's own documentation,
which the first column links; the file says, with the page beside it, what is not said here. Anything else is
[a file of your own](adding-a-provider.md).

- **Its key** is what \`npx mortise integrations add <key>\` takes, and \`--provider\` where you name the integration
  otherwise. With \`--sandbox\` it is played on your machine.
- **Kept alive** says what becomes of an access token at its end. Where a refresh token dies unless it is used, the hub uses
  it in time: [Refresh](refresh.md).
- **Ended by the hub**: the provider has a call that ends what a user granted, and the hub makes it when the
  connection is deleted. Where it has none, the user ends it in the provider's own settings, and the next refresh
  says so.
- **Keys** can be given instead of a flow.

<!-- Written by \`npm run schema\`, from providers/. -->

${[columns, columns.map(() => '---'), ...providers.map(row)].map(cells => `| ${cells.join(' | ')} |`).join('\n')}
`
