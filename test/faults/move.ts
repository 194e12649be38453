/** Faults in how an environment is moved: what the file proves, what a freeze stops, and what a copy may do. */
import type { Fault } from './fault.ts'

const archive = 'src/seal/archive.ts'
const archives = 'src/seal/archive.test.ts'
const moves = 'test/move.test.ts'
const contract = 'test/storage.test.ts'
const rows = 'src/storage/refreshes.ts'

export const moveFaults: readonly Fault[] = [
  {
    guard: 'a chunk is where it was put',
    file: archive,
    text: 'place.writeUInt32BE(index, 7)',
    becomes: 'place.writeUInt32BE(0, 7)',
    caughtBy: [archives, 'chunks that were swapped'],
  },
  {
    guard: 'which chunk is the last one is authenticated',
    file: archive,
    text: 'place[11] = last ? 1 : 0',
    becomes: 'place[11] = 0',
    caughtBy: [archives, 'chunks that were swapped'],
  },
  {
    guard: 'nothing comes after the last chunk',
    file: archive,
    text: 'if (await bytes.take(1)) throw',
    becomes: 'if (index < 0) throw',
    caughtBy: [archives, 'chunks that were swapped'],
  },
  {
    guard: 'a file without its last chunk is cut short',
    file: archive,
    text: "if (!head || !sealed) throw damaged('The file was cut short: its end is missing.')",
    becomes: 'if (!head || !sealed) return',
    caughtBy: [archives, 'a file that was cut short'],
  },
  {
    guard: 'a chunk is authenticated',
    file: archive,
    text: '            decipher.final()',
    becomes: '',
    caughtBy: [archives, 'a byte that was changed'],
  },
  {
    guard: 'a wrong passphrase is told apart from a damaged file',
    file: archive,
    text: 'if (!timingSafeEqual(keys.header, header))',
    becomes: 'if (keys.header.length !== header.length && timingSafeEqual(keys.header, header))',
    caughtBy: [archives, 'a wrong passphrase'],
  },
  {
    guard: 'a file is read to its end before anything is written',
    file: 'src/commands-move.ts',
    text: 'await checkExport(archive.lines())',
    becomes: 'void checkExport',
    caughtBy: ['test/move.cli.test.ts', 'a file that was damaged'],
  },
  {
    guard: 'a move waits for what is under way',
    file: 'src/core/move.ts',
    text: 'if (count === 0) return',
    becomes: 'if (count >= 0) return',
    caughtBy: [moves, 'a refresh that is under way'],
  },
  {
    guard: 'a frozen hub takes no lease',
    file: rows,
    text: '        .where(isOpen)\n        .returningAll()',
    becomes: '        .returningAll()',
    // The mark stands behind it.
    also: {
      file: rows,
      text: "          .where(isOpen)\n          .where('lease_until', '>', now),",
      becomes: "          .where('lease_until', '>', now),",
    },
    caughtBy: [moves, 'after a move the old hubs never spend'],
  },
  {
    guard: 'a lease that was taken before the freeze sends nothing after it',
    file: rows,
    text: "          .where(isOpen)\n          .where('lease_until', '>', now),",
    becomes: "          .where('lease_until', '>', now),",
    caughtBy: [moves, 'a lease that was taken as the freeze came'],
  },
  {
    guard: 'the background leaves a frozen environment alone',
    file: rows,
    text: "          .where('due_at', '<=', at.getTime())\n          .where(isOpen)",
    becomes: "          .where('due_at', '<=', at.getTime())",
    caughtBy: [contract, 'of a frozen environment'],
  },
  {
    guard: 'nothing is connected in a frozen environment',
    file: 'src/storage/sql.ts',
    text: '        await mustBeOpen(engine, tx, draft.environmentId)\n',
    becomes: '',
    caughtBy: [contract, 'what would be missed elsewhere'],
  },
  {
    guard: 'what was deleted here stays so',
    file: 'src/storage/moves.ts',
    text: 'gone.has(connection.id) ? [] : [',
    becomes: 'false ? [] : [',
    caughtBy: [contract, 'connections are restored as they are'],
  },
  {
    guard: 'a copy that is refused says that it is one',
    file: 'src/core/refresh-run.ts',
    text: 'job.state.restoredRevision === row.credentialRevision',
    becomes: 'job.state.restoredRevision === -1',
    caughtBy: [moves, 'a copy whose token'],
  },
  {
    guard: 'a copy is not refreshed before somebody reads it',
    file: 'src/core/move.ts',
    text: 'const { dueAt: _, ...rest } = refresh',
    becomes: 'const rest = refresh',
    caughtBy: [moves, 'a copy whose token'],
  },
  {
    guard: 'a newer credential is left',
    file: 'src/core/move.ts',
    text: "if (b.credentialRevision > a.credentialRevision) return 'leave'",
    becomes: "if (b.credentialRevision > a.credentialRevision) return 'write'",
    caughtBy: [moves, 'a copy becomes what was moved'],
  },
]
