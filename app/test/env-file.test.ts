import assert from 'node:assert/strict'
import { chmodSync, lstatSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseEnv } from 'node:util'
import { getConfig } from '../src/config.ts'
import { withLine, writeLine } from '../src/env-file.ts'
import { tempFolder } from './process.ts'

const id = 'CONNECTION_ID'

test('one line changes, and everything else stays as it is', () => {
  const cases: [name: string, before: string, after: string][] = [
    ['empty', '', 'CONNECTION_ID=new\n'],
    ['no such line', 'A=1\n', 'A=1\nCONNECTION_ID=new\n'],
    ['no newline at the end', 'A=1', 'A=1\nCONNECTION_ID=new\n'],
    ['an empty line', 'CONNECTION_ID=\nB=2\n', 'CONNECTION_ID=new\nB=2\n'],
    ['in the middle', '# top\n\nA="x y"\nCONNECTION_ID=old\nB=2', '# top\n\nA="x y"\nCONNECTION_ID=new\nB=2'],
    ['quoted, with a comment', "CONNECTION_ID='old' # mine\n", 'CONNECTION_ID=new # mine\n'],
    ['exported and indented', '  export CONNECTION_ID = old\n', '  export CONNECTION_ID =new\n'],
    ['a comment is no setting', '# CONNECTION_ID=old\n', '# CONNECTION_ID=old\nCONNECTION_ID=new\n'],
    [
      'another name',
      'MY_CONNECTION_ID=a\nCONNECTION_ID_2=b\n',
      'MY_CONNECTION_ID=a\nCONNECTION_ID_2=b\nCONNECTION_ID=new\n',
    ],
    ['Windows lines', 'A=1\r\nCONNECTION_ID=old\r\nB=2\r\n', 'A=1\r\nCONNECTION_ID=new\r\nB=2\r\n'],
    ['Windows lines, added', 'A=1\r\n', 'A=1\r\nCONNECTION_ID=new\r\n'],
    ['twice: the last counts', 'CONNECTION_ID=a\nCONNECTION_ID=b\n', 'CONNECTION_ID=a\nCONNECTION_ID=new\n'],
  ]
  for (const [name, before, after] of cases) assert.equal(withLine(before, id, 'new'), after, name)
})

test('a value that needs quotes is read back as it was, and one that cannot be written is refused', () => {
  for (const value of ['a b', 'a#b', "it's", 'say "x"', '$HOME', 'a=b'])
    assert.equal(parseEnv(withLine('A=1\n', id, value))[id], value)
  for (const value of ['a\nB=2', `'"\``]) assert.throws(() => withLine('', id, value), /cannot be written/)
  // The only such line is inside another value.
  const nested = 'TEXT="first\nCONNECTION_ID=inside\nlast"\n'
  assert.throws(() => withLine(nested, id, 'new'), /Add this line to it yourself: CONNECTION_ID=new/)
})

test('the file is replaced whole, keeps its mode, and a link to it stays a link', t => {
  const folder = tempFolder(t)
  const file = join(folder, '.env')
  writeLine(id, 'one', file)
  assert.equal(readFileSync(file, 'utf8'), 'CONNECTION_ID=one\n')
  assert.equal(statSync(file).mode & 0o777, 0o600)
  chmodSync(file, 0o640)
  const inode = statSync(file).ino
  const link = join(folder, 'link')
  symlinkSync(file, link)
  writeLine(id, 'two', link)
  assert.ok(lstatSync(link).isSymbolicLink())
  assert.equal(readFileSync(file, 'utf8'), 'CONNECTION_ID=two\n')
  assert.equal(statSync(file).mode & 0o777, 0o640)
  assert.notEqual(statSync(file).ino, inode, 'a new file took its place')
  assert.deepEqual(readdirSync(folder).sort(), ['.env', 'link'])
})

test('getConfig: the environment wins over the file, and the file is read anew', t => {
  const file = join(tempFolder(t), '.env')
  const names = ['ALLOY_API_KEY', 'ALLOY_USER_ID', 'ALLOY_BASE_URL', id]
  for (const name of names) delete process.env[name]
  process.env['ALLOY_ENV_FILE'] = file
  t.after(() => {
    for (const name of [...names, 'ALLOY_ENV_FILE']) delete process.env[name]
  })
  const nothing = { alloyApiKey: '', alloyUserId: 'me', alloyBaseUrl: 'http://localhost:3003', connectionId: undefined }
  assert.deepEqual(getConfig(), nothing)
  writeFileSync(file, 'ALLOY_API_KEY=\nALLOY_USER_ID=\nALLOY_BASE_URL=\nCONNECTION_ID=\n')
  assert.deepEqual(getConfig(), nothing)
  writeFileSync(file, 'ALLOY_API_KEY=k\nALLOY_USER_ID=u\nALLOY_BASE_URL=http://127.0.0.1:9/\nCONNECTION_ID=conn_1\n')
  const whole = { alloyApiKey: 'k', alloyUserId: 'u', alloyBaseUrl: 'http://127.0.0.1:9', connectionId: 'conn_1' }
  assert.deepEqual(getConfig(), whole)
  // As the documents read it.
  assert.equal(process.env[id], 'conn_1')
  writeLine(id, 'conn_2')
  assert.equal(getConfig().connectionId, 'conn_2')
  process.env['ALLOY_USER_ID'] = 'given'
  assert.equal(getConfig().alloyUserId, 'given')
  writeFileSync(file, 'ALLOY_USER_ID=file\n')
  assert.deepEqual(getConfig(), { ...nothing, alloyUserId: 'given' })
})

test('getConfig: a server that is not on this machine needs a key and a user', t => {
  process.env['ALLOY_ENV_FILE'] = join(tempFolder(t), '.env')
  t.after(() => {
    for (const name of ['ALLOY_ENV_FILE', 'ALLOY_BASE_URL', 'ALLOY_API_KEY']) delete process.env[name]
  })
  process.env['ALLOY_BASE_URL'] = 'https://connect.example.com'
  assert.throws(() => getConfig(), /^Error: ALLOY_API_KEY environment variable is required.*npx mortise key create/)
  process.env['ALLOY_API_KEY'] = 'k'
  assert.throws(() => getConfig(), /^Error: ALLOY_USER_ID environment variable is required/)
  for (const bad of ['localhost:3003', 'ftp://localhost', 'http://u:p@localhost', 'http://localhost?x']) {
    process.env['ALLOY_BASE_URL'] = bad
    assert.throws(() => getConfig(), /ALLOY_BASE_URL must be an http or https URL/, bad)
  }
  for (const local of ['http://localhost:1', 'http://127.0.0.5:1', 'http://[::1]:1']) {
    process.env['ALLOY_BASE_URL'] = local
    assert.equal(getConfig().alloyUserId, 'me')
  }
  for (const far of ['http://localhost.example.com', 'http://127.0.0.1.example.com', 'http://10.0.0.1']) {
    process.env['ALLOY_BASE_URL'] = far
    assert.throws(() => getConfig(), /ALLOY_USER_ID environment variable is required/, far)
  }
})
