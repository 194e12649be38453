/** The commands that back an environment up and move it: docs/backup-and-move.md. */
import { existsSync, readFileSync } from 'node:fs'
import { type Command, config, envOption, inEnvironment, one, text, UsageError, withRooms } from './command.ts'
import { Secret } from './core/credential.ts'
import { MortiseError, SetupError } from './core/errors.ts'
import {
  checkExport,
  exportEnvironment,
  freezeEnvironment,
  importEnvironment,
  type Told,
  unfreezeEnvironment,
} from './core/move.ts'
import { readSecret } from './prompt.ts'
import { mustBeFree, readArchive, writeArchive } from './seal/archive-file.ts'

/**
 * The passphrase: from the file that MORTISE_PASSPHRASE_FILE names, from a person (`twice`, for a new one), or from standard
 * input. Never an argument, which every user of the machine could see.
 */
const readPassphrase = async (twice: boolean): Promise<Secret> => {
  const file = config('command').passphraseFile
  if (file !== undefined) {
    if (!existsSync(file)) throw new SetupError(`MORTISE_PASSPHRASE_FILE names ${file}, which does not exist.`)
    return given(new Secret(readFileSync(file, 'utf8').trim()), `The file ${file}`)
  }
  const passphrase = given(await readSecret('Passphrase: '), 'The passphrase')
  if (twice && process.stdin.isTTY && (await readSecret('The same again: ')).reveal() !== passphrase.reveal())
    throw new UsageError('These were two different passphrases. Nothing was done.')
  return passphrase
}

const given = (passphrase: Secret, where: string): Secret => {
  if (passphrase.reveal() !== '') return passphrase
  throw new UsageError(`${where} is empty. Give it at the prompt, by MORTISE_PASSPHRASE_FILE, or on standard input.`)
}

/** Milliseconds between two lines of progress. */
const every = 100

/** Shows how far it is, where somebody looks. */
const progress = (what: string): { readonly told: Told; end(): void } => {
  const shown = process.stderr.isTTY
  let last = Number.NEGATIVE_INFINITY
  return {
    told(done, total) {
      if (!shown || (done < total && performance.now() - last < every)) return
      last = performance.now()
      process.stderr.write(`\r${what} ${done.toLocaleString('en')} of ${total.toLocaleString('en')}`)
    },
    end() {
      if (shown && last > 0) process.stderr.write('\n')
    },
  }
}

const many = (count: number, what: string): string => `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`

/** Runs work that tells how far it is. */
const shown = async <T>(what: string, work: (told: Told) => Promise<T>): Promise<T> => {
  const line = progress(what)
  try {
    return await work(line.told)
  } finally {
    line.end()
  }
}

export const moveCommands: readonly Command[] = [
  {
    name: 'export',
    words: true,
    takes: 'FILE|- [--move] [--env ENV]',
    help: 'Write everything of an environment to one file, sealed to a passphrase (prompt, MORTISE_PASSPHRASE_FILE, or standard input). With --move the environment is frozen first, and the file is what goes on living.',
    options: { ...envOption, move: { type: 'boolean' } },
    run: async (args, options) => {
      const path = one(args, 'the file to write, or - for standard output')
      if (path === '-' && process.stdout.isTTY)
        throw new UsageError('Give a file, or send standard output somewhere: it is not text.')
      mustBeFree(path)
      const passphrase = await readPassphrase(true)
      await inEnvironment(options, async ({ hub }, environment) => {
        const { context } = hub
        const { counts, moved } = await writeArchive(path, passphrase, async archive => {
          if (options['move'] === true) {
            if (!environment.frozenAt)
              console.error(
                `The environment "${environment.name}" is frozen now: nothing is connected, refreshed or changed here any more. To undo it: npx mortise env unfreeze`,
              )
            await shown('Refreshes under way:', told =>
              freezeEnvironment(context, environment, count => told(0, count)),
            )
          } else if (environment.frozenAt) await freezeEnvironment(context, environment, () => {})
          return shown('Exported', told => exportEnvironment(context, environment, archive, told))
        })
        console.error(
          `Exported the environment "${environment.name}" (${many(counts.connections, 'connection')}, ${many(counts.endUsers, 'end user')})${path === '-' ? '' : ` to ${path}`}. ${
            moved
              ? 'It stays frozen here. Import the file in the new hub, once, and then destroy it.'
              : 'This is a copy: as soon as a connection is refreshed here, its refresh token in the file may be worth nothing.'
          }`,
        )
      })
    },
  },
  {
    name: 'import',
    words: true,
    takes: 'FILE [--env ENV]',
    help: 'Restore an environment that was exported, with every id, sealed under the keys of this hub. May be run again, wherever it was stopped.',
    options: envOption,
    run: async (args, options) => {
      const path = one(args, 'the file that mortise export wrote')
      const name = text(options['env'])
      const passphrase = await readPassphrase(false)
      // Loaded while the key is made of the passphrase, which takes as long.
      const [archive] = await Promise.all([readArchive(path, passphrase), import('./rooms.ts')])
      // To its end, before anything is written.
      await checkExport(archive.lines())
      await withRooms(async ({ hub }) => {
        const done = await shown('Imported', told =>
          importEnvironment(hub.context, archive.lines(), { told, ...(name === undefined ? {} : { name }) }),
        )
        const { became, environment } = done
        const there = became.leave + became.verify
        const told = [
          many(became.new + became.write, 'connection'),
          ...(there > 0 ? [`${there.toLocaleString('en')} were there already`] : []),
          ...(became.deleted > 0 ? [`${became.deleted.toLocaleString('en')} were deleted here and stay so`] : []),
        ]
        console.log(`Imported the environment "${environment.name}": ${told.join('; ')}.`)
        if (!done.moved)
          console.error(
            'It was a copy, not a move: a connection whose refresh token was used since must be connected again, and says so. None is refreshed before it is read.',
          )
        if (done.replaced) console.error('Start a hub that runs on this data again: its environment has a new number.')
        if (done.unknownProviders.length > 0)
          console.error(
            `There is no definition here of: ${done.unknownProviders.join(', ')}. Set MORTISE_PROVIDERS_DIR to the files of the old hub.`,
          )
        if (done.conflictCount === 0) return
        const more = done.conflictCount - done.conflicts.length
        throw new MortiseError(
          'conflict',
          `${done.conflictCount.toLocaleString('en')} could not be restored, and stay here as they are:\n${done.conflicts.map(each => `  ${each}`).join('\n')}${more > 0 ? `\n  and ${more.toLocaleString('en')} more` : ''}`,
        )
      })
    },
  },
  {
    name: 'env unfreeze',
    takes: '--not-imported [--env ENV]',
    help: 'Undo export --move: the environment lives on here. Only as long as no other hub has imported the file.',
    options: { ...envOption, 'not-imported': { type: 'boolean' } },
    run: (_args, options) =>
      inEnvironment(options, async ({ hub }, environment) => {
        if (!environment.frozenAt)
          return console.log(`The environment "${environment.name}" is not frozen; there is nothing to undo.`)
        if (options['not-imported'] !== true)
          throw new UsageError(
            `Two hubs that refresh the same connections end them. If no hub has imported the file that the environment "${environment.name}" was exported to, destroy the file and say so: npx mortise env unfreeze --not-imported`,
          )
        await unfreezeEnvironment(hub.context, environment)
        console.log(
          `The environment "${environment.name}" lives on here. Destroy the file that it was exported to: whoever imports it takes the refresh tokens from this hub.`,
        )
      }),
  },
]
