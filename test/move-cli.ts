/** What the tests of `mortise export` and `import` share. */
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { environmentNamed } from '../src/core/setup.ts'
import { tempFolder } from './harness.ts'
import { exported, fill, newSettings, open, type Settings } from './move-world.ts'
import { mortise } from './process.ts'

export const passphrase = 'correct horse battery staple'

/** A hub with `acme` and so many connections, and the lines of its export but the first, which has the time. */
export const filled = async (t: TestContext, count: number, database?: string) => {
  const settings = newSettings(t, database)
  const rooms = await open(t, settings)
  const lines = (await exported(rooms, await fill(rooms, count))).slice(1)
  return { settings, rooms, lines, file: join(tempFolder(t), 'acme.mortise') }
}

export const run = (settings: Settings, args: string[], input = passphrase) => mortise(args, settings, `${input}\n`)

/** The lines of an export of `acme`, as they are in another hub. */
export const linesOf = async (t: TestContext, settings: Settings): Promise<string[]> => {
  const rooms = await open(t, settings)
  return (await exported(rooms, await environmentNamed(rooms.hub.context, 'acme'))).slice(1)
}

/** Of a plain copy, what the new hub adds to it. */
export const asCopies = (lines: readonly string[]): string[] =>
  lines.map(text => {
    const [kind, record, accountKey, refresh] = JSON.parse(text)
    if (kind !== 'connection') return text
    const { dueAt: _, ...rest } = refresh
    return JSON.stringify([kind, record, accountKey, { ...rest, restoredRevision: record.credentialRevision }])
  })
