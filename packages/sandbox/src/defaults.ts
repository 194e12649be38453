/** The expectations that come with the package: every file in `providers/` whose default export is one. */
import { readdirSync } from 'node:fs'
import type { Expectation } from './expectation.ts'

const folder = new URL('./providers/', import.meta.url)
const files = readdirSync(folder)
  .filter(name => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  .sort()
const modules: { readonly default?: Expectation }[] = await Promise.all(
  files.map(name => import(new URL(name, folder).href)),
)

export const expectations: readonly Expectation[] = modules.flatMap(module => module.default ?? [])
