/** `npm run bench`: every figure, or those that are named, each beside its rival. See README.md. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { postgresBin } from '../test/postgres.ts'
import { cells, type Figure, header, isMet, type Line } from './figure.ts'
import { importing } from './figures/import.ts'
import { list } from './figures/list.ts'
import { proxy } from './figures/proxy.ts'
import { readFigures } from './figures/read.ts'
import { refresh, storm } from './figures/refresh.ts'
import { scale } from './figures/scale.ts'
import { start } from './figures/start.ts'
import { two } from './figures/two.ts'
import { openWorld } from './world.ts'

const figures: readonly Figure[] = [...readFigures, proxy, scale, list, two, storm, refresh, start, importing]
const page = new URL('../docs/performance.md', import.meta.url)

const help = `npm run bench                       every figure; writes the table of docs/performance.md
npm run bench -- FIGURE …           some of them; writes nothing
npm run bench -- --quick [FIGURE …] fewer rounds and rows, in two minutes; writes nothing

Figures
${figures.map(({ name, help }) => `  ${name.padEnd(14)} ${help}`).join('\n')}
`

/** What the figures were measured on. */
const machine = (): string => {
  const version =
    postgresBin === undefined ? '' : execFileSync(join(postgresBin, 'postgres'), ['--version'], { encoding: 'utf8' })
  const [, server] = /(\d+(\.\d+)?)/.exec(version) ?? []
  const memory = `${Math.round(totalmem() / 2 ** 30)} GB`
  return [
    new Date().toISOString().slice(0, 10),
    `${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${cpus().length} cores, ${memory}`,
    `Node ${process.version}`,
    ...(server === undefined ? [] : [`Postgres ${server}`]),
  ].join('; ')
}

const aligned = (rows: readonly (readonly string[])[]): string => {
  const widths = header.map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  return rows
    .map(row =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

const markdown = (rows: readonly (readonly string[])[]): string =>
  [rows[0] ?? [], header.map(() => '---'), ...rows.slice(1)].map(row => `| ${row.join(' | ')} |`).join('\n')

/** Puts the table between the two marks of the page, and leaves what people wrote there. */
const writePage = (text: string): void => {
  const [begin, end] = ['<!-- figures -->', '<!-- end of figures -->']
  const old = readFileSync(page, 'utf8')
  const [from, to] = [old.indexOf(begin), old.indexOf(end)]
  if (from === -1 || to < from) throw new Error(`docs/performance.md must have ${begin} and, below it, ${end}.`)
  writeFileSync(page, `${old.slice(0, from + begin.length)}\n${text}\n${old.slice(to)}`)
}

const chosen = (): { readonly quick: boolean; readonly wanted: readonly Figure[] } | string => {
  let parsed: ReturnType<typeof parse>
  try {
    parsed = parse()
  } catch (error) {
    return (error as Error).message
  }
  const { values, positionals } = parsed
  if (values.help) return ''
  const unknown = positionals.find(name => !figures.some(each => each.name === name))
  if (unknown !== undefined) return `There is no figure "${unknown}".`
  if (!existsSync('/proc/self/schedstat') || cpus().length < 2)
    return 'The bench needs Linux, for taskset and /proc, and two cores.'
  const wanted = figures.filter(each => positionals.length === 0 || positionals.includes(each.name))
  return { quick: values.quick === true, wanted }
}

const parse = () =>
  parseArgs({ options: { quick: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } }, allowPositionals: true })

const run = async (quick: boolean, wanted: readonly Figure[]): Promise<void> => {
  const began = performance.now()
  const say = (line: string) =>
    console.error(`${((performance.now() - began) / 1000).toFixed(0).padStart(4)} s  ${line}`)
  const world = await openWorld(quick, say)
  const stop = async () => {
    await world.close()
    process.exit(1)
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  const lines: Line[] = []
  let failed = false
  try {
    if (world.noPostgres !== undefined) say(`Without Postgres: ${world.noPostgres}`)
    for (const figure of wanted)
      try {
        lines.push(...(await figure.run(world)))
      } catch (error) {
        failed = true
        say(`${figure.name} failed: ${error instanceof Error ? error.stack : error}`)
      }
  } finally {
    await world.close()
  }
  const rows = [header, ...lines.map(cells)]
  const where = machine()
  console.log(`${where}\n\n${aligned(rows)}`)
  const whole = !quick && wanted.length === figures.length && world.noPostgres === undefined
  if (whole && !failed) writePage(`Measured ${where}.\n\n${markdown(rows)}`)
  say(`Done. ${lines.filter(line => isMet(line) === false).length} of the targets are missed.`)
  if (failed) process.exitCode = 1
}

const choice = chosen()
if (typeof choice === 'string') {
  const asked = choice === ''
  ;(asked ? console.log : console.error)(asked ? help : `${choice}\n\n${help}`)
  process.exitCode = asked ? 0 : 2
} else await run(choice.quick, choice.wanted)
