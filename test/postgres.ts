/** A real Postgres for a test, with a PgBouncer before it: the binaries of the machine, or a reason to skip. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { freePorts } from './harness.ts'

const bin = globSync('/usr/lib/postgresql/*/bin').find(folder => existsSync(join(folder, 'initdb')))
/** Where its programs are. */
export const postgresBin = bin
const bouncer = ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer'].find(existsSync)
export const missing =
  bin === undefined || bouncer === undefined
    ? 'these tests need Postgres. On Debian: apt-get install postgresql pgbouncer, then npm test'
    : undefined

/** CI allows no skip: there, a missing server is a failure. */
export const skip = process.env['TEST_NO_SKIP'] ? false : missing

/** Neither runs as root: then they run as the user that Debian's packages make. */
const account = (): { uid?: number; gid?: number } => {
  if (process.getuid?.() !== 0) return {}
  const [, uid, gid] = /^postgres:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8')) ?? []
  return { uid: Number(uid), gid: Number(gid) }
}

/** Ends when told, and with this process, however that ends: its standard input is a pipe from here. */
const run = (command: readonly string[]): { child: ChildProcess; output: () => string } => {
  const script = '"$@" </dev/null & child=$!; cat >/dev/null; kill -INT $child; wait $child'
  const child = spawn('/bin/sh', ['-c', script, 'sh', ...command], { ...account(), stdio: ['pipe', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', chunk => {
      output = (output + chunk).slice(-10_000)
    })
  return { child, output: () => output }
}

const stop = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null) return
  const closed = new Promise(done => child.once('close', done))
  child.stdin?.end()
  await closed
}

const answers = (port: number): Promise<boolean> =>
  new Promise(done => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => done(false))
    socket.on('connect', () => {
      socket.destroy()
      done(true)
    })
  })

const until = async (ready: () => Promise<boolean>, { child, output }: ReturnType<typeof run>): Promise<void> => {
  const since = performance.now()
  while (!(await ready())) {
    if (child.exitCode !== null || performance.now() - since > 30_000) throw new Error(`It did not start:\n${output()}`)
    await new Promise(again => setTimeout(again, 20))
  }
}

export interface PostgresServer {
  readonly port: number
  readonly password: string
  /** Of a new, empty database; `through`: the pooler's port instead of the server's own. */
  newDatabase(): Promise<{ readonly name: string; readonly url: string; readonly pooled: string }>
  url(database: string, port?: number): string
  /** Empties the tables of a database that has them. */
  empty(database: string): Promise<void>
  /** As the superuser. */
  query(sql: string, database?: string): Promise<Record<string, unknown>[]>
  /** Its own certificate, for localhost, and where the file is. */
  readonly certificate: string
  stop(): Promise<void>
  start(): Promise<void>
  close(): Promise<void>
}

/** Deletes all rows: of tables that have few, that is ten times as fast as to truncate them. Keys that refer wait meanwhile. */
const emptying = `DO $$ DECLARE name text; BEGIN
  SET LOCAL session_replication_role = replica;
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT IN ('migrations', 'changes')
    LOOP EXECUTE format('DELETE FROM %I', name); END LOOP;
  UPDATE changes SET revision = 0;
END $$`

/**
 * A new cluster on loopback, with a password and a certificate, and a pooler in transaction mode. Close it. `more`:
 * settings of the server, over those here. `proof`: whether it asks for the password, which costs both sides as much as a
 * small test.
 */
export const startPostgres = async (
  more: Readonly<Record<string, string>> = {},
  proof: 'scram-sha-256' | 'trust' = 'scram-sha-256',
): Promise<PostgresServer> => {
  assert.ok(bin !== undefined && bouncer !== undefined, String(missing))
  const folder = mkdtempSync(join(tmpdir(), 'mortise-postgres-'))
  const { uid, gid } = account()
  const own = (path: string) => {
    if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid)
    return path
  }
  own(folder)
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 })
    return own(join(folder, name))
  }
  const password = randomBytes(12).toString('base64url')
  const options = { ...account(), cwd: folder, stdio: 'pipe' as const }
  const [cluster, certificate] = [join(folder, 'cluster'), join(folder, 'server.crt')]
  // A locale that sorts otherwise than bytes, to see that nothing depends on it.
  const locale = ['--encoding=UTF8', '--locale=C.UTF-8', '--locale-provider=icu', '--icu-locale=en']
  execFileSync(
    join(bin, 'initdb'),
    ['-D', cluster, '-U', 'owner', `--pwfile=${write('password', password)}`, '-A', proof, '-N', ...locale],
    options,
  )
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'].concat([
      '-addext',
      'subjectAltName=DNS:localhost',
      '-keyout',
      'server.key',
      '-out',
      certificate,
    ]),
    options,
  )
  const port = await freePorts()
  const query: PostgresServer['query'] = async (sql, database = 'postgres') => {
    const client = new pg.Client({ connectionString: url(database) })
    await client.connect()
    try {
      return (await client.query(sql)).rows
    } finally {
      await client.end()
    }
  }
  const url = (database: string, at = port) => `postgres://owner:${password}@localhost:${at}/${database}`
  // Nothing here outlives the machine, so nothing is synced to its disk.
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: folder,
    fsync: 'off',
    max_connections: 200,
    ssl: 'on',
    ssl_cert_file: certificate,
    ssl_key_file: join(folder, 'server.key'),
    ...more,
  }
  const command = [join(bin, 'postgres'), '-D', cluster]
  for (const [name, value] of Object.entries(settings)) command.push('-c', `${name}=${value}`)
  let server: ReturnType<typeof run> | undefined
  const start = async () => {
    server = run(command)
    await until(
      () =>
        query('SELECT 1').then(
          () => true,
          () => false,
        ),
      server,
    )
  }
  await start()
  const pooler = run([
    bouncer,
    write(
      'pgbouncer.ini',
      [
        '[databases]',
        `* = host=127.0.0.1 port=${port}`,
        '[pgbouncer]',
        'listen_addr = 127.0.0.1',
        `listen_port = ${port + 1}`,
        'unix_socket_dir =',
        'pool_mode = transaction',
        'max_client_conn = 200',
        'default_pool_size = 5',
        // Two at least, so that one client's statements meet more than one process of the server.
        'server_round_robin = 1',
        `auth_type = ${proof}`,
        `auth_file = ${write('users.txt', `"owner" "${password}"\n`)}`,
      ].join('\n'),
    ),
  ])
  await until(() => answers(port + 1), pooler)
  let count = 0
  return {
    port,
    password,
    certificate,
    url,
    query,
    start,
    async newDatabase() {
      const name = `test_${++count}`
      await query(`CREATE DATABASE ${name}`)
      return { name, url: url(name), pooled: url(name, port + 1) }
    },
    empty: async database => {
      await query(emptying, database)
    },
    async stop() {
      if (server) await stop(server.child)
    },
    async close() {
      await stop(pooler.child)
      if (server) await stop(server.child)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
