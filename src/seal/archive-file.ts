/** The file that an archive stands in: whole under its name, or not there. */
import { createReadStream, existsSync, rmSync } from 'node:fs'
import { type FileHandle, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Secret } from '../core/credential.ts'
import { MortiseError, SetupError } from '../core/errors.ts'
import { type Archive, type ArchiveWriter, createArchive, openArchive } from './archive.ts'

/**
 * Writes an archive, readable by its owner only, beside its place (`path.part`), and puts it there once it is whole and on
 * the disk. What stands there already is never replaced; what a killed run left beside it is. `-` is standard output.
 */
export const writeArchive = async <T>(
  path: string,
  passphrase: Secret,
  fill: (archive: ArchiveWriter) => Promise<T>,
): Promise<T> => {
  if (path === '-') return fill(await createArchive(passphrase, toStandardOutput))
  mustBeFree(path)
  const part = `${path}.part`
  rmSync(part, { force: true })
  let file: FileHandle
  try {
    file = await open(part, 'wx', 0o600)
  } catch (error) {
    throw new SetupError(`The file ${part} cannot be written: ${(error as Error).message}`)
  }
  try {
    const result = await fill(await createArchive(passphrase, async bytes => void (await file.writeFile(bytes))))
    await file.sync()
    await file.close()
    mustBeFree(path)
    await rename(part, path)
    await syncFolder(dirname(path))
    return result
  } catch (error) {
    await file.close().catch(() => {})
    rmSync(part, { force: true })
    throw error
  }
}

/** Throws `conflict` where something stands there. */
export const mustBeFree = (path: string): void => {
  if (path !== '-' && existsSync(path))
    throw new MortiseError('conflict', `There is a file ${path} already. Give another name, or move it away.`)
}

const toStandardOutput = (bytes: Uint8Array): Promise<void> =>
  new Promise((done, fail) => process.stdout.write(bytes, error => (error ? fail(error) : done())))

/** The name of a file that was renamed is on the disk only with its folder. */
const syncFolder = async (path: string): Promise<void> => {
  const folder = await open(path)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

export const readArchive = (path: string, passphrase: Secret): Promise<Archive> => {
  if (!existsSync(path)) throw new MortiseError('not_found', `There is no file ${path}.`)
  return openArchive(passphrase, () => createReadStream(path, { highWaterMark: 256 * 1024 }))
}
