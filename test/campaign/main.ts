/** npm run faults: see `options.ts` for what it takes. */
import { skip } from '../postgres.ts'
import { campaign } from './campaign.ts'
import { crowd } from './crowd.ts'
import { type Asked, help, readOptions } from './options.ts'
import { failsWithout, guards } from './without.ts'

/** A provider that takes fifteen seconds, at the real times. */
const slow = async (engine: 'sqlite' | 'postgres'): Promise<string[]> => {
  const { calls, answers, tokens } = await crowd({ engine, connections: 25, readers: 40, delay: 15_000 })
  console.log(`${engine}: a provider that takes 15 s: ${answers} reads of 25 tokens that had ended, ${calls} calls`)
  const wrong = [...tokens].filter(([token]) => token.startsWith('status'))
  return [
    ...(calls === 25 ? [] : [`extra call: ${calls} calls for 25 tokens`]),
    ...wrong.map(([status, count]) => `${count} reads were answered with ${status}`),
  ]
}

const run = async (asked: Asked): Promise<number> => {
  if (asked.help) {
    console.log(help)
    return 0
  }
  if (asked.guards) {
    console.log(guards().join('\n'))
    return 0
  }
  if (asked.without !== undefined) {
    const rest = process.argv.slice(2)
    rest.splice(rest.indexOf('--without'), 2)
    const failed = failsWithout(asked.without, rest)
    console.log(
      failed ? `without ${asked.without} it fails, as it must` : `without ${asked.without} nothing was noticed`,
    )
    return failed ? 0 : 1
  }
  if (!asked.slow) console.log(`seed ${asked.options.seed}`)
  let failed = 0
  for (const engine of asked.engines) {
    if (engine === 'postgres' && skip) {
      console.log(`postgres: skipped: ${skip}`)
      continue
    }
    const all: string[] = []
    if (!asked.slow) {
      const { violations, lines } = await campaign({ ...asked.options, engine }, line =>
        console.error(`${engine}: ${line}`),
      )
      for (const line of lines) console.log(line)
      all.push(...violations)
    }
    if (asked.slow || !asked.short) all.push(...(await slow(engine)))
    for (const each of all) console.log(`  VIOLATION ${each}`)
    failed += all.length
  }
  console.log(failed === 0 ? 'nothing was lost' : `${failed} violations; again with --seed ${asked.options.seed}`)
  return failed === 0 ? 0 : 1
}

try {
  process.exitCode = await run(readOptions(process.argv.slice(2)))
} catch (error) {
  console.error((error as Error).message)
  console.error('Usage: npm run faults -- --help')
  process.exitCode = 2
}
