/** What goes wrong with Postgres: what may be tried again, and at the start a sentence for who set it up. */
import { SetupError } from '../core/errors.ts'
import type { PostgresTarget } from './postgres-url.ts'

const codeOf = (error: unknown): string => String((error as { code?: unknown } | null)?.code ?? '')

/** The transaction lost against another and was undone (serialization failure, deadlock): nothing of it was written. */
export const lostToAnother = (error: unknown): boolean => ['40001', '40P01'].includes(codeOf(error))

/** A unique or foreign key stood against it: what another has just written, or a mistake. Another look tells. */
export const keyInTheWay = (error: unknown): boolean => ['23505', '23503'].includes(codeOf(error))

/** Somebody else makes the same table at this moment. */
export const madeMeanwhile = (error: unknown): boolean => ['23505', '42P07', '42710'].includes(codeOf(error))

/** The connection is gone, whatever became of the statement: the server ended, or the network. */
export const connectionLost = (error: unknown): boolean =>
  ['ECONNRESET', 'EPIPE', '57P01', '57P02', '08003', '08006'].includes(codeOf(error)) ||
  /^(Connection terminated|Client has encountered a connection error)/.test((error as Error | null)?.message ?? '')

export const isTimeout = (error: unknown): boolean => (error as Error | null)?.message === 'Query read timeout'

/** Of an error at the start. Never repeats the URL, which holds the password. */
export const openingTrouble = (error: unknown, { place, user }: PostgresTarget): SetupError => {
  if (error instanceof SetupError) return error
  const code = codeOf(error)
  const { message } = error as Error
  const sentence = (): string => {
    if (/does not support SSL|SSL is not supported/i.test(message))
      return `The Postgres server of ${place} does not speak TLS. Switch it on there (ssl = on), or add sslmode=disable to MORTISE_DATABASE_URL if nobody can listen in between.`
    if (/no encryption|SSL off|SSL required/i.test(message))
      return `The Postgres server of ${place} wants TLS. Add sslmode=verify-full to MORTISE_DATABASE_URL, with sslrootcert=<file> if its authority is your own.`
    if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
      return `The certificate of the Postgres server of ${place} is for another name. Use its name as host in MORTISE_DATABASE_URL.`
    if (/CERT|SELF_SIGNED|UNABLE_TO|PEM|ERR_SSL|ERR_OSSL/.test(code))
      return `The certificate of the Postgres server of ${place} is not trusted (${message}). Add sslrootcert=<file> with its authority's certificate to MORTISE_DATABASE_URL.`
    if (code === '28P01' || code === 'SASL' || /password/i.test(message))
      return `The Postgres server of ${place} refuses the password of ${user}, or none was given. Set the right one in MORTISE_DATABASE_URL; special characters in it must be escaped, like %40 for @.`
    if (code === '3D000' || /no such database|database .* does not exist/i.test(message))
      return `There is no database ${place}. Make it (createdb), or set MORTISE_DATABASE_URL to another.`
    if (code === '28000' || /no such user/i.test(message))
      return `The Postgres server of ${place} does not let ${user} in: ${message}. Check the user in MORTISE_DATABASE_URL and the server's pg_hba.conf.`
    if (code === '53300')
      return `The Postgres server of ${place} has no connection left. Raise its max_connections, or stop what holds them.`
    if (code === '42501')
      return `${user} may not make tables in the database ${place}. Make ${user} its owner, or: GRANT CREATE, USAGE ON SCHEMA public TO ${user}`
    if (
      /^(ECONN|ENOENT|ENOTFOUND|EAI_|EHOST|ENET|ETIMEDOUT|EACCES|57P03)/.test(code) ||
      /timeout|terminated/.test(message)
    )
      return `No Postgres server answers for ${place} (${code || message}). Start it, or set MORTISE_DATABASE_URL to where it is.`
    return `The database ${place} cannot be opened: ${message}. Check MORTISE_DATABASE_URL.`
  }
  return new SetupError(sentence(), { cause: error })
}
