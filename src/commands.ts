/** The commands of `mortise`: one file a noun. */
import type { Command } from './command.ts'
import { actionCommands } from './commands-actions.ts'
import { configCommands } from './commands-config.ts'
import { connectCommands } from './commands-connect.ts'
import { connectionCommands } from './commands-connections.ts'
import { doctorCommands } from './commands-doctor.ts'
import { envCommands } from './commands-env.ts'
import { integrationCommands } from './commands-integrations.ts'
import { keyCommands } from './commands-key.ts'
import { moveCommands } from './commands-move.ts'
import { providerCommands } from './commands-provider.ts'
import { proxyCommands } from './commands-proxy.ts'
import { runCommands } from './commands-run.ts'
import { webhookCommands } from './commands-webhook.ts'

export { version } from './version.ts'

export const commands: readonly Command[] = [
  ...runCommands,
  ...configCommands,
  ...doctorCommands,
  ...integrationCommands,
  ...connectCommands,
  ...connectionCommands,
  ...actionCommands,
  ...proxyCommands,
  ...keyCommands,
  ...envCommands,
  ...webhookCommands,
  ...moveCommands,
  ...providerCommands,
]
