/** Writes openapi/mortise.json from the table of routes; with --check, only tells whether it is up to date. */
import { readFileSync, writeFileSync } from 'node:fs'
import { openapi } from './openapi.ts'
import { routes } from './routes.ts'

const file = new URL('../../../openapi/mortise.json', import.meta.url)
const text = `${JSON.stringify(openapi(routes), undefined, 2)}\n`
if (!process.argv.includes('--check')) writeFileSync(file, text)
else if (readFileSync(file, 'utf8') !== text) {
  console.error('openapi/mortise.json is out of date: run `npm run openapi`')
  process.exitCode = 1
}
