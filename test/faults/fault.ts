import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** One guard taken away, and the test that must notice. */
export interface Fault {
  readonly guard: string
  readonly file: string
  /** Stands there once. */
  readonly text: string
  readonly becomes: string
  /** Taken away with it, where two guards stand behind each other. */
  readonly also?: Pick<Fault, 'file' | 'text' | 'becomes'>
  /** What `npm run faults -- --without` calls it. */
  readonly name?: string
  /** The test file, and the beginning of the name of the test that must fail. */
  readonly caughtBy: readonly [file: string, name: string]
}

/** Takes the guard away in the copy of the project at `root`; answers how to put it back. */
export const plant = (root: string, fault: Fault): (() => void) => {
  const before = new Map<string, string>()
  const undo = () => {
    for (const [file, text] of before) writeFileSync(file, text)
  }
  for (const part of [fault, ...(fault.also ? [fault.also] : [])]) {
    const file = join(root, part.file)
    const text = readFileSync(file, 'utf8')
    if (!before.has(file)) before.set(file, text)
    if (text.split(part.text).length !== 2) {
      undo()
      throw new Error(`the guard must stand once in ${part.file}: ${part.text}`)
    }
    writeFileSync(
      file,
      text.replace(part.text, () => part.becomes),
    )
  }
  return undo
}

/** What a copy of the project needs, to run its tests. */
export const project = ['bin', 'src', 'test', 'packages', 'providers', 'docs', 'app', 'package.json']
