// Run by `npm ci`: compiles the hub once into node_modules/.cache, so that the first start is as quick as the next one.
import { enableCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'

enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/mortise', import.meta.url)))
await import('../src/dev.ts')
await import('../src/screen.ts')
