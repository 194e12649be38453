// Run by `npm ci`: compiles the hub once into node_modules/.cache, so that the first start is as quick as the next one.
// It never fails an install (an old Node, or one without the development packages): a start says what is missing.
import * as module from 'node:module'
import { fileURLToPath } from 'node:url'

module.enableCompileCache?.(fileURLToPath(new URL('../node_modules/.cache/mortise', import.meta.url)))
const files = ['main.ts', 'dev.ts', 'screen.ts', 'storage/postgres.ts'].map(name => `../src/${name}`)
for (const file of [...files, '../packages/sandbox/src/defaults.ts']) await import(file).catch(() => {})
