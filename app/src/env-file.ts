/** The `.env` file: read into `process.env`, and one line of it written without touching the rest. */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseEnv } from 'node:util'

/** `.env` at the root of the repository; ALLOY_ENV_FILE names another. */
export const envFile = (): string =>
  process.env['ALLOY_ENV_FILE']
    ? resolve(process.env['ALLOY_ENV_FILE'])
    : fileURLToPath(new URL('../../.env', import.meta.url))

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}

/** What the file has put into `process.env`, so that a changed file is seen without a restart. */
const loaded = new Map<string, string>()

/** Reads the file into `process.env`. What the environment held before wins; a missing file is fine. */
export const loadEnv = (): void => {
  const lines = parseEnv(read(envFile()))
  for (const [name, value] of loaded)
    if (lines[name] === undefined && process.env[name] === value) {
      delete process.env[name]
      loaded.delete(name)
    }
  for (const [name, value] of Object.entries(lines)) {
    if (value === undefined) continue
    const held = process.env[name]
    if (held !== undefined && held !== loaded.get(name)) continue
    process.env[name] = value
    loaded.set(name, value)
  }
}

/** Where a setting that is in `process.env` came from. */
export const placeOf = (name: string): string =>
  loaded.has(name) && loaded.get(name) === process.env[name] ? '.env' : 'the environment, which wins over .env'

/** A value as a `.env` line holds it: quoted only where it must be. */
const quoted = (value: string): string => {
  if (/^[\w.@:/-]+$/.test(value)) return value
  const quote = ["'", '"', '`'].find(each => !value.includes(each))
  if (quote === undefined || /[\r\n]/.test(value)) throw new Error('This value cannot be written into a .env file.')
  return quote + value + quote
}

/** The text of a `.env` file with one setting changed, or added at the end. Everything else stays as it is. */
export const withLine = (text: string, name: string, value: string): string => {
  const line = new RegExp(`^([ \\t]*(?:export[ \\t]+)?${name}[ \\t]*=)[^\\r\\n]*?([ \\t]+#[^\\r\\n]*)?(?=\\r?$)`, 'gm')
  // The last one counts.
  const last = [...text.matchAll(line)].at(-1)
  const eol = text.includes('\r\n') ? '\r\n' : '\n'
  const changed = last
    ? `${text.slice(0, last.index)}${last[1]}${quoted(value)}${last[2] ?? ''}${text.slice(last.index + last[0].length)}`
    : `${text}${text === '' || text.endsWith('\n') ? '' : eol}${name}=${quoted(value)}${eol}`
  // The line may stand inside a value of several lines: then nothing is written.
  const before = parseEnv(text)
  const after = parseEnv(changed)
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  for (const each of names)
    if (after[each] !== (each === name ? value : before[each]))
      throw new Error(`The file cannot be changed safely. Add this line to it yourself: ${name}=${quoted(value)}`)
  return changed
}

/** Changes one setting of the file: all of it or nothing, even if the machine stops half-way. */
export const writeLine = (name: string, value: string, path: string = envFile()): void => {
  const text = withLine(read(path), name, value)
  const target = real(path)
  const mode = statSync(target, { throwIfNoEntry: false })?.mode ?? 0o600
  const fresh = `${target}.${randomBytes(6).toString('hex')}.tmp`
  const file = openSync(fresh, 'wx', mode & 0o777)
  try {
    try {
      writeSync(file, text)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(fresh, target)
  } catch (error) {
    rmSync(fresh, { force: true })
    throw error
  }
}

/** Where the file really is: a link to it stays a link. */
const real = (path: string): string => {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
