/** A campaign in a copy of the project from which a guard was taken away: it must fail. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { plant, project } from '../faults/fault.ts'
import { refreshFaults } from '../faults/refresh.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

export const guards = (): string[] =>
  refreshFaults.flatMap(({ name, guard }) => (name === undefined ? [] : [`${name.padEnd(12)}${guard}`]))

/** Whether the campaign failed, as it should. Throws a sentence where there is no such guard. */
export const failsWithout = (name: string, args: readonly string[]): boolean => {
  const fault = refreshFaults.find(each => each.name === name)
  if (!fault) throw new Error(`There is no guard "${name}". They are:\n  ${guards().join('\n  ')}`)
  const copy = mkdtempSync(join(tmpdir(), 'mortise-without-'))
  try {
    for (const each of project) cpSync(join(root, each), join(copy, each), { recursive: true })
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
    plant(copy, fault)
    const { status } = spawnSync(process.execPath, [join(copy, 'test/campaign/main.ts'), ...args], { stdio: 'inherit' })
    return status === 1
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}
