/** Writes providers/schema.json, for editors, from the schema; with --check, only tells whether it is up to date. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { providerSchema } from '../core/provider.ts'
import { ownFolder } from './catalogue.ts'

const file = join(ownFolder, 'schema.json')
const text = `${JSON.stringify(z.toJSONSchema(providerSchema, { io: 'input' }), undefined, 2)}\n`
if (!process.argv.includes('--check')) writeFileSync(file, text)
else if (readFileSync(file, 'utf8') !== text) {
  console.error('providers/schema.json is out of date: run `npm run schema`')
  process.exitCode = 1
}
