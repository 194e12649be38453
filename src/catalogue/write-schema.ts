/**
 * Writes what is made of other files: the schemas in providers/, for editors, from core's, and docs/providers.md from
 * providers/. With --check, only tells whether they are up to date.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as z from 'zod'
import { actionsSchema } from '../core/action.ts'
import { providerSchema } from '../core/provider.ts'
import { ownFolder, readFolders } from './catalogue.ts'
import { providersPage } from './providers-page.ts'

const schemaText = (schema: z.ZodType): string =>
  `${JSON.stringify(z.toJSONSchema(schema, { io: 'input' }), undefined, 2)}\n`

const made = {
  'providers/schema.json': schemaText(providerSchema),
  'providers/actions.schema.json': schemaText(actionsSchema),
  'docs/providers.md': providersPage(readFolders([ownFolder]).providers),
}

for (const [name, text] of Object.entries(made)) {
  const file = fileURLToPath(new URL(`../../${name}`, import.meta.url))
  if (!process.argv.includes('--check')) writeFileSync(file, text)
  else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
    console.error(`${name} is out of date: run \`npm run schema\``)
    process.exitCode = 1
  }
}
