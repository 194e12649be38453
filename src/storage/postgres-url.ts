/** What a postgres:// URL says: where the database is, who we are there, and how the way to it is secured. */
import { readFileSync } from 'node:fs'
import type { ClientConfig } from 'pg'
import { SetupError } from '../core/errors.ts'
import { isLoopbackHost } from '../core/loopback.ts'

export interface PostgresTarget {
  readonly config: ClientConfig
  /** Whether named statements may be used; undefined: find out. */
  readonly prepared?: boolean
  /** Host, port and database, for a person to read. */
  readonly place: string
  readonly user: string
}

const modes = ['disable', 'require', 'verify-ca', 'verify-full'] as const
const parameters = ['sslmode', 'sslrootcert', 'prepared', 'host']

const wrong = (what: string) => new SetupError(`MORTISE_DATABASE_URL ${what}`)

/** Without `sslmode`: no TLS on this machine, and off it TLS with the server's certificate verified. */
export const parsePostgresUrl = (text: string): PostgresTarget => {
  const url = URL.parse(text)
  if (!url) throw wrong('is no valid URL. It must be like postgres://user:password@host:5432/database')
  for (const name of url.searchParams.keys())
    if (!parameters.includes(name))
      throw wrong(
        `has the parameter ${name}, which is not known. There are sslmode, sslrootcert, prepared, and host for a socket's folder.`,
      )
  const socket = url.searchParams.get('host') ?? undefined
  if (socket !== undefined && !socket.startsWith('/'))
    throw wrong("may have the parameter host for the folder of the server's socket only: a path from the root.")
  const host = socket ?? (url.hostname.replace(/^\[(.*)\]$/, '$1') || 'localhost')
  const port = Number(url.port || 5432)
  const [user, password, database] = [url.username, url.password, url.pathname.slice(1)].map(decoded) as [
    string,
    string,
    string,
  ]
  if (user === '' || database === '' || database.includes('/'))
    throw wrong('must name a user and a database, like postgres://user:password@host:5432/database')
  return {
    config: {
      host,
      port,
      user,
      database,
      // Without one, pg looks in ~/.pgpass.
      ...(password === '' ? {} : { password }),
      ssl: tls(url.searchParams, socket !== undefined || isLoopbackHost(host)),
    },
    ...prepared(url.searchParams),
    place: `${database} at ${socket ?? `${url.hostname || host}:${port}`}`,
    user,
  }
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    throw wrong('has a % that begins no escape. Write it as %25.')
  }
}

const prepared = (query: URLSearchParams): { prepared?: boolean } => {
  const given = query.get('prepared')
  if (given === null) return {}
  if (given !== 'yes' && given !== 'no') throw wrong('must have prepared=yes or prepared=no, or leave it out.')
  return { prepared: given === 'yes' }
}

const tls = (query: URLSearchParams, here: boolean): ClientConfig['ssl'] => {
  const mode = query.get('sslmode') ?? (here ? 'disable' : 'verify-full')
  const file = query.get('sslrootcert')
  if (!(modes as readonly string[]).includes(mode))
    throw wrong(`must have an sslmode of ${modes.join(', ')}; others may send everything in the clear.`)
  if (mode === 'disable') {
    if (file !== null) throw wrong('has sslrootcert, but no TLS: add sslmode=verify-full.')
    return false
  }
  // As libpq has it: "require" asks for no more than TLS, unless there is a root certificate to hold it to.
  if (mode === 'require' && file === null) return { rejectUnauthorized: false }
  return {
    rejectUnauthorized: true,
    ...(file === null ? {} : { ca: rootCertificate(file) }),
    ...(mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  }
}

const rootCertificate = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw wrong(`names the sslrootcert ${file}, which cannot be read: ${(error as Error).message}.`)
  }
}
