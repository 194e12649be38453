/** npm run faults: see `options.ts` for what it takes. */
import { skip } from '../postgres.ts'
import { campaign } from './campaign.ts'
import { help, readOptions } from './options.ts'

const asked = (() => {
  try {
    return readOptions(process.argv.slice(2))
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${help}`)
    process.exit(2)
  }
})()
if (asked.help) {
  console.log(help)
  process.exit(0)
}

console.log(`seed ${asked.options.seed}`)
let failed = 0
for (const engine of asked.engines) {
  if (engine === 'postgres' && skip) {
    console.log(`postgres: skipped: ${skip}`)
    continue
  }
  const { violations, lines } = await campaign({ ...asked.options, engine }, line =>
    console.error(`${engine}: ${line}`),
  )
  for (const line of lines) console.log(line)
  for (const each of violations) console.log(`  VIOLATION ${each}`)
  failed += violations.length
}
console.log(
  failed === 0
    ? 'nothing was lost'
    : `${failed} violations; again with: npm run faults -- --seed ${asked.options.seed}`,
)
process.exit(failed === 0 ? 0 : 1)
