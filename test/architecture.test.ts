/** The one rule: rooms import core; only main, dev and cli (with its commands) import rooms; core imports nothing outside itself. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const src = fileURLToPath(new URL('../src/', import.meta.url))

/** Files that wire, and what stands beside them: they may import rooms. */
const wiring = new Set([
  'main.ts',
  'rooms.ts',
  'renew.ts',
  'renew-thread.ts',
  'dev.ts',
  'cli.ts',
  'command.ts',
  'commands.ts',
  'command-hub.ts',
  'commands-config.ts',
  'commands-connect.ts',
  'commands-connections.ts',
  'commands-doctor.ts',
  'commands-env.ts',
  'commands-integrations.ts',
  'commands-key.ts',
  'commands-move.ts',
  'commands-provider.ts',
  'commands-run.ts',
  'commands-webhook.ts',
  'env-file.ts',
  'screen.ts',
  'prompt.ts',
  'version.ts',
])

/** Each npm package has one home. */
const homes: Record<string, string[]> = {
  kysely: ['storage'],
  pg: ['storage'],
  fastify: ['http'],
  jose: ['http'],
  marked: ['http'],
  ws: ['http'],
  yaml: ['catalogue'],
  zod: ['core', 'http', 'catalogue'],
  pino: ['rooms.ts'],
  aws4: ['net'],
  undici: ['net'],
  standardwebhooks: ['net'],
  'oauth-1.0a': ['net'],
  '@mortise/sandbox': ['dev.ts', 'screen.ts'],
  '@mortise/web/script': ['main.ts'],
}

/** Node's own modules that do no I/O. */
const pure = new Set(['node:crypto', 'node:diagnostics_channel', 'node:util', 'node:zlib'])

/** Ciphers live in seal. */
const ciphers = /\bcreate(Cipher|Decipher)iv\b/

interface File {
  readonly path: string
  readonly room: string
  readonly text: string
  readonly imports: readonly string[]
}

const importsOf = (text: string): string[] =>
  [
    ...text.matchAll(
      /(?:^|\n)\s*(?:import|export)\s[^'"]*?from\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)import\s+['"]([^'"]+)['"]/g,
    ),
  ].map(match => match[1] ?? match[2] ?? match[3] ?? '')

const toFile = (path: string, text: string): File => ({
  path,
  room: path.includes('/') ? (path.split('/')[0] ?? '') : path,
  text,
  imports: importsOf(text).map(to => (to.startsWith('.') ? relative(src, join(src, dirname(path), to)) : to)),
})

const files = globSync('**/*.ts', { cwd: src })
  .filter(path => !path.endsWith('.test.ts'))
  .map(path => toFile(path.replaceAll('\\', '/'), readFileSync(join(src, path), 'utf8')))

/** What is wrong with a file, in words. */
const complaints = (file: File): string[] => {
  const wrong: string[] = []
  for (const to of file.imports) {
    const local = !to.startsWith('node:') && /\.(ts|json)$/.test(to)
    if (!local) {
      if (to.startsWith('node:')) {
        if (file.room === 'core' && !pure.has(to)) wrong.push(`core imports ${to}, which does I/O`)
        continue
      }
      if (!homes[to]?.includes(file.room)) wrong.push(`${to} is imported in ${file.room}, which is not its home`)
      continue
    }
    const target = to.includes('/') ? (to.split('/')[0] ?? '') : to
    if (to.startsWith('..')) wrong.push(`imports ${to}, outside src`)
    else if (target === file.room || target === 'core') continue
    else if (wiring.has(file.room)) continue
    else if (file.room === 'core') wrong.push(`core imports ${to}`)
    else if (file.room === 'config.ts') wrong.push(`config imports ${to}`)
    else wrong.push(`a room imports ${to}, which is not core`)
  }
  if (file.room !== 'seal' && ciphers.test(file.text)) wrong.push('has a cipher, whose home is seal')
  if (file.room === 'core' && /nango|alloy/i.test(file.text)) wrong.push("core knows a vendor's name")
  const dialect = /^http\/(nango|alloy)\//.exec(file.path)?.[1]
  if (dialect && file.imports.some(to => /^http\/(nango|alloy)\//.test(to) && !to.startsWith(`http/${dialect}/`)))
    wrong.push('a dialect imports another')
  return wrong.map(each => `${file.path}: ${each}`)
}

test('every file keeps the one rule', () => {
  assert.ok(files.length > 40, `only ${files.length} files were found`)
  assert.deepEqual(files.flatMap(complaints), [])
})

test('the rule is noticed when it is broken', () => {
  const planted: [path: string, text: string][] = [
    ['core/read.ts', "import { openSqlite } from '../storage/sqlite.ts'"],
    ['core/read.ts', "import { readFileSync } from 'node:fs'"],
    ['core/read.ts', "import { Kysely } from 'kysely'"],
    ['core/read.ts', "const x = await import('../net/call.ts')"],
    ['core/read.ts', '// as Nango does'],
    ['http/app.ts', "import { openSqlite } from '../storage/sqlite.ts'"],
    ['http/app.ts', "import { startHub } from '../main.ts'"],
    ['storage/sql.ts', "import { readConfig } from '../config.ts'"],
    ['http/auth.ts', "import { createCipheriv } from 'node:crypto'"],
    ['http/nango/map.ts', "import { x } from '../alloy/map.ts'"],
    ['net/call.ts', "import fastify from 'fastify'"],
    ['http/app.ts', "import { x } from '../../packages/sandbox/src/index.ts'"],
  ]
  for (const [path, text] of planted) assert.equal(complaints(toFile(path, text)).length > 0, true, `${path}: ${text}`)
  const fine: [path: string, text: string][] = [
    ['core/read.ts', "import { sha256 } from './ids.ts'"],
    ['http/app.ts', "import type { Hub } from '../core/hub.ts'"],
    ['main.ts', "import { openStorage } from './storage/open.ts'"],
  ]
  for (const [path, text] of fine) assert.deepEqual(complaints(toFile(path, text)), [])
})

test('no file imports itself in a circle', () => {
  const byPath = new Map(files.map(file => [file.path, file]))
  const done = new Set<string>()
  const visit = (path: string, trail: readonly string[]): void => {
    assert.ok(!trail.includes(path), `a circle: ${[...trail, path].join(' → ')}`)
    if (done.has(path)) return
    for (const to of byPath.get(path)?.imports ?? []) if (byPath.has(to)) visit(to, [...trail, path])
    done.add(path)
  }
  for (const file of files) visit(file.path, [])
})

test('no file is longer than about 400 lines', () => {
  const long = globSync(['src/**/*.ts', 'packages/*/src/**/*.ts', 'test/**/*.ts'], { cwd: join(src, '..') })
    .map(path => [path, readFileSync(join(src, '..', path), 'utf8').split('\n').length] as const)
    .filter(([path, lines]) => lines > 400 && !exceptions[path])
  assert.deepEqual(long, [])
})

/** By path, with the reason. */
const exceptions: Record<string, string> = {}
