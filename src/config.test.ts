import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { suite, test } from 'node:test'
import { format, inspect } from 'node:util'
import { logLevels, readConfig, settings } from './config.ts'
import { SetupError } from './core/errors.ts'

const refused = (env: Record<string, string>, message: RegExp): void => {
  assert.throws(
    () => readConfig(env, 'serve'),
    (error: unknown) => {
      assert.ok(error instanceof SetupError, String(error))
      assert.match(error.message, message)
      return true
    },
    inspect(env),
  )
}

suite('the settings', () => {
  test('all have a default: dev starts without any', () => {
    const config = readConfig({}, 'dev')
    assert.equal(config.publicUrl.href, 'http://localhost:3003/')
    assert.deepEqual(
      { ...config, publicUrl: undefined, database: config.database.reveal() },
      {
        mode: 'dev',
        host: 'localhost',
        port: 3003,
        publicUrl: undefined,
        alsoKnownAs: [],
        dataDir: resolve('data'),
        database: resolve('data/mortise.db'),
        allowedHosts: [],
        logLevel: 'warn',
      },
    )
    assert.equal(readConfig({}, 'command').logLevel, 'warn')
    assert.equal(readConfig({}, 'serve').logLevel, 'info')
  })

  test('that are empty or white space count as not set', () => {
    const empty = Object.fromEntries(Object.keys(settings).map(name => [name, '  ']))
    assert.deepEqual(inspect(readConfig(empty, 'serve')), inspect(readConfig({}, 'serve')))
  })

  test('of other programs are left alone', () => {
    readConfig({ PATH: '/bin', mortise_port: '1', XMORTISE_PORT: '1', MORTISE: '1' }, 'dev')
  })

  test('that are unknown stop the start, with a hint at the one that was meant', () => {
    for (const [name, meant] of [
      ['MORTISE_SECERT_KEY', 'MORTISE_SECRET_KEY'],
      ['MORTISE_PUBLIC_URI', 'MORTISE_PUBLIC_URL'],
      ['MORTISE_LOGLEVEL', 'MORTISE_LOG_LEVEL'],
      ['MORTISE_PROVIDER_DIR', 'MORTISE_PROVIDERS_DIR'],
      ['MORTISE_PROT', 'MORTISE_PORT'],
      ['MORTISE_DATABASE', 'MORTISE_DATABASE_URL'],
      ['MORTISE_ALLOW_HOSTS', 'MORTISE_ALLOWED_HOSTS'],
      ['MORTISE_ROOT_KEYFILE', 'MORTISE_ROOT_KEY_FILE'],
    ] as const)
      refused({ [name]: 'planted' }, new RegExp(`^${name} is not a setting \\(did you mean ${meant}\\?\\)`))
    refused({ MORTISE_QQQQ: 'x' }, /^MORTISE_QQQQ is not a setting\. The settings are listed by: npx mortise --help$/)
    refused({ MORTISE_: 'x' }, /^MORTISE_ is not a setting/)
    refused({ MORTISE_toString: '' }, /is not a setting/)
  })

  test('are those of docs/configuration.md, row by row, and no other is named there', () => {
    const text = readFileSync(new URL('../docs/configuration.md', import.meta.url), 'utf8')
    const table = /^\| Setting \| Default \| What it does \|\n\|[-|]+\|\n((?:\|.*\|\n)+)/m.exec(text)?.[1] ?? ''
    const documented = table
      .trimEnd()
      .split('\n')
      .map(line => line.slice(1, -1).split('|'))
      .map(cells => cells.map(cell => cell.trim()))
    const own = Object.entries(settings).map(([name, setting]) => [
      `\`${name}\``,
      setting.default === '' ? '' : `\`${setting.default}\``,
      setting.help,
    ])
    assert.deepEqual(documented, own)
    for (const [name] of text.matchAll(/MORTISE_[A-Z_]*[A-Z]/g)) assert.ok(Object.hasOwn(settings, name), name)
  })
})

suite('a setting', () => {
  test('MORTISE_HOST and MORTISE_PORT say where to listen, and so where browsers find it', () => {
    const config = readConfig({ MORTISE_HOST: '::1', MORTISE_PORT: ' 4000 ' }, 'dev')
    assert.deepEqual([config.host, config.port, config.publicUrl.href], ['::1', 4000, 'http://localhost:4000/'])
    for (const port of ['0', '-1', '65535', '65536', '1.5', 'http', '3003x', 'NaN'])
      refused({ MORTISE_PORT: port }, /^MORTISE_PORT must be a port number/)
  })

  test('MORTISE_PUBLIC_URL is scheme, host and port only', () => {
    for (const url of ['https://connect.example.com', 'https://connect.example.com:8443/', 'http://127.0.0.1:3103'])
      assert.equal(readConfig({ MORTISE_PUBLIC_URL: url }, 'serve').publicUrl.href, new URL(url).href)
    for (const url of [
      'connect.example.com',
      'ftp://connect.example.com',
      'https://connect.example.com/hub',
      'https://connect.example.com/?x=1',
      'https://connect.example.com/#x',
      'https://user@connect.example.com',
      'https://:planted@connect.example.com',
      'https://',
    ])
      refused({ MORTISE_PUBLIC_URL: url }, /^MORTISE_PUBLIC_URL must be scheme, host and port only/)
  })

  test('MORTISE_PUBLIC_URL must be https unless it is loopback', () => {
    for (const url of ['http://localhost', 'http://127.0.0.2:80', 'http://[::1]:3003'])
      readConfig({ MORTISE_PUBLIC_URL: url }, 'serve')
    for (const url of [
      'http://connect.example.com',
      'http://10.0.0.1:3003',
      'http://localhost.example.com',
      'http://0.0.0.0',
    ])
      refused({ MORTISE_PUBLIC_URL: url }, /off this machine it must be https/)
  })

  test('MORTISE_DATA_DIR and MORTISE_DATABASE_URL say where the data is', () => {
    const moved = readConfig({ MORTISE_DATA_DIR: 'elsewhere' }, 'dev')
    assert.deepEqual([moved.dataDir, moved.database.reveal()], [resolve('elsewhere'), resolve('elsewhere/mortise.db')])
    assert.equal(readConfig({ MORTISE_DATABASE_URL: './x.db' }, 'dev').database.reveal(), './x.db')
  })

  test('MORTISE_SECRET_KEY has 32 to 200 visible characters', () => {
    for (const key of ['k'.repeat(32), 'k'.repeat(200), '!~'.repeat(20)])
      assert.equal(readConfig({ MORTISE_SECRET_KEY: key }, 'serve').secretKey?.reveal(), key)
    for (const key of ['k'.repeat(31), 'k'.repeat(201), `${'k'.repeat(20)} ${'k'.repeat(20)}`, 'é'.repeat(40)])
      refused({ MORTISE_SECRET_KEY: key }, /^MORTISE_SECRET_KEY must have 32 to 200 visible ASCII characters/)
  })

  test('MORTISE_ROOT_KEY and MORTISE_ROOT_KEY_FILE exclude each other', () => {
    assert.equal(readConfig({ MORTISE_ROOT_KEY: 'x' }, 'serve').rootKey?.reveal(), 'x')
    assert.equal(readConfig({ MORTISE_ROOT_KEY_FILE: 'a/key' }, 'serve').rootKeyFile, resolve('a/key'))
    refused(
      { MORTISE_ROOT_KEY: 'planted', MORTISE_ROOT_KEY_FILE: 'a/key' },
      /^Set MORTISE_ROOT_KEY or MORTISE_ROOT_KEY_FILE, not both\.$/,
    )
  })

  test('MORTISE_BASIC_AUTH is a user and a password of at least 12 characters, which may hold colons', () => {
    const { basicAuth } = readConfig({ MORTISE_BASIC_AUTH: 'ann:twelve:chars' }, 'serve')
    assert.deepEqual([basicAuth?.user, basicAuth?.password.reveal()], ['ann', 'twelve:chars'])
    for (const pair of ['ann', 'ann:', ':long-enough-password', 'annlong-enough-password', 'ann:elevenchars'])
      refused({ MORTISE_BASIC_AUTH: pair }, /^MORTISE_BASIC_AUTH must be user:password/)
  })

  test('MORTISE_ALLOWED_HOSTS is a list, in lower case, without gaps', () => {
    const { allowedHosts } = readConfig({ MORTISE_ALLOWED_HOSTS: ' Git.Internal , 10.0.0.7:8443,, [::1]:1 ,' }, 'serve')
    assert.deepEqual(allowedHosts, ['git.internal', '10.0.0.7:8443', '[::1]:1'])
  })

  test('MORTISE_ALSO_KNOWN_AS is a list of origins, each as the public URL is', () => {
    const { alsoKnownAs } = readConfig(
      { MORTISE_ALSO_KNOWN_AS: ' https://App.example.com, https://b.example:8443/ ' },
      'serve',
    )
    assert.deepEqual(alsoKnownAs, ['https://app.example.com', 'https://b.example:8443'])
    assert.deepEqual(readConfig({}, 'serve').alsoKnownAs, [])
    for (const each of ['app.example.com', 'https://a.example/path', 'https://ok.example, http://off.example'])
      refused({ MORTISE_ALSO_KNOWN_AS: each }, /^MORTISE_ALSO_KNOWN_AS /)
  })

  test('MORTISE_PROVIDERS_DIR is made absolute', () => {
    assert.equal(readConfig({ MORTISE_PROVIDERS_DIR: 'own' }, 'serve').providersDir, resolve('own'))
  })

  test('MORTISE_LOG_LEVEL is one of four', () => {
    for (const level of logLevels) assert.equal(readConfig({ MORTISE_LOG_LEVEL: level }, 'serve').logLevel, level)
    for (const level of ['debug', 'INFO', 'toString'])
      refused({ MORTISE_LOG_LEVEL: level }, /^MORTISE_LOG_LEVEL must be one of info/)
  })
})

suite('a secret', () => {
  const planted = 'planted-planted-planted-planted-'

  test('is not shown when the configuration is printed', () => {
    const env = {
      MORTISE_SECRET_KEY: planted,
      MORTISE_ROOT_KEY: planted,
      MORTISE_DATABASE_URL: `postgres://ann:${planted}@db.example.com/hub`,
      MORTISE_BASIC_AUTH: `ann:${planted}`,
    }
    const config = readConfig(env, 'serve')
    for (const told of [
      inspect(config, { depth: 9, showHidden: true }),
      JSON.stringify(config),
      format('%s %o %O %j', config, config, config, config),
    ]) {
      assert.ok(!told.includes(planted), told)
      assert.ok(told.includes('[secret]'))
    }
  })

  test('is not repeated by an error', () => {
    for (const env of [
      { MORTISE_SECRET_KEY: `${planted} `.repeat(2) },
      { MORTISE_ROOT_KEY: planted, MORTISE_ROOT_KEY_FILE: planted },
      { MORTISE_BASIC_AUTH: planted },
      { MORTISE_SECRETKEY: planted },
      { MORTISE_PUBLIC_URL: `https://ann:${planted}@connect.example.com` },
    ] as Record<string, string>[])
      assert.throws(
        () => readConfig(env, 'serve'),
        (error: unknown) => error instanceof SetupError && !inspect(error).includes(planted),
      )
  })

  test('is marked as one in the table, and no default is one', () => {
    const secret = Object.entries(settings).filter(([, setting]) => 'secret' in setting && setting.secret)
    assert.deepEqual(
      secret.map(([name, setting]) => [name, setting.default]),
      [
        ['MORTISE_DATABASE_URL', '<data dir>/mortise.db'],
        ['MORTISE_SECRET_KEY', ''],
        ['MORTISE_ROOT_KEY', ''],
        ['MORTISE_BASIC_AUTH', ''],
        ['MORTISE_API_KEY', ''],
      ],
    )
  })
})
