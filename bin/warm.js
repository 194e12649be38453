// Run by `npm ci`: compiles the hub once into node_modules/.cache, so that the first start is as quick as the next one.
// It never fails an install (an old Node, or one without the development packages): a start says what is missing.
import * as module from 'node:module'
import { fileURLToPath } from 'node:url'

module.enableCompileCache?.(fileURLToPath(new URL('../node_modules/.cache/mortise', import.meta.url)))
for (const file of ['../src/main.ts', '../src/dev.ts', '../src/screen.ts', '../src/storage/postgres.ts'])
  await import(file).catch(() => {})
