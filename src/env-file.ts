/** One line of a `.env` file is written; all others stay as they are. */
import { randomBytes } from 'node:crypto'
import { readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { SetupError } from './core/errors.ts'

/** The text with one setting changed where it stands, or added at the end. `value` needs no quotes. */
export const withLine = (text: string, name: string, value: string): string => {
  const line = new RegExp(`^([ \\t]*(?:export[ \\t]+)?${name}[ \\t]*=)[^\\r\\n]*?([ \\t]+#[^\\r\\n]*)?(?=\\r?$)`, 'gm')
  // Of several the last one counts.
  const last = [...text.matchAll(line)].at(-1)
  const eol = text.includes('\r\n') ? '\r\n' : '\n'
  const changed = last
    ? text.slice(0, last.index) + last[1] + value + (last[2] ?? '') + text.slice(last.index + last[0].length)
    : `${text}${text === '' || text.endsWith('\n') ? '' : eol}${name}=${value}${eol}`
  // What looks like the line may stand inside a value of several lines.
  const [before, after] = [parseEnv(text), parseEnv(changed)]
  const same = Object.keys(before).every(each => each === name || before[each] === after[each])
  if (same && after[name] === value) return changed
  throw new SetupError(`The file cannot be changed without harm. Add this line to it yourself: ${name}=${value}`)
}

/** All of it or nothing, even if the machine stops half-way. A new file is its owner's alone. */
export const writeLine = (path: string, name: string, value: string): void => {
  const found = statSync(path, { throwIfNoEntry: false })
  // A link to the file stays one.
  const target = found ? realpathSync(path) : path
  const fresh = `${target}.${randomBytes(6).toString('hex')}.tmp`
  try {
    writeFileSync(fresh, withLine(found ? readFileSync(target, 'utf8') : '', name, value), {
      flag: 'wx',
      mode: (found?.mode ?? 0o600) & 0o777,
      flush: true,
    })
    renameSync(fresh, target)
  } catch (error) {
    rmSync(fresh, { force: true })
    if (error instanceof SetupError) throw error
    throw new SetupError(`${path} was not written: ${(error as Error).message}. Add this line to it: ${name}=${value}`)
  }
}
