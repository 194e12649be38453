/** Writes the schemas in providers/, for editors, from core's; with --check, only tells whether they are up to date. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { actionsSchema } from '../core/action.ts'
import { providerSchema } from '../core/provider.ts'
import { ownFolder } from './catalogue.ts'

const schemas: Record<string, z.ZodType> = { 'schema.json': providerSchema, 'actions.schema.json': actionsSchema }

for (const [name, schema] of Object.entries(schemas)) {
  const file = join(ownFolder, name)
  const text = `${JSON.stringify(z.toJSONSchema(schema, { io: 'input' }), undefined, 2)}\n`
  if (!process.argv.includes('--check')) writeFileSync(file, text)
  else if (readFileSync(file, 'utf8') !== text) {
    console.error(`providers/${name} is out of date: run \`npm run schema\``)
    process.exitCode = 1
  }
}
