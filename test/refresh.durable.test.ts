/** That a renewed credential is on the disk before anyone is answered: the system calls of a real process, in their order. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Browser, freePorts, getJson, tempFolder } from './harness.ts'
import { until } from './pair.ts'
import { startProcess } from './process.ts'

const missing = existsSync('/usr/bin/strace')
  ? false
  : 'this test needs strace. On Debian: apt-get install strace, then npm test'

test('the answer of the provider is synced to the disk before the reader is answered', {
  skip: process.env['TEST_NO_SKIP'] ? false : missing,
}, async t => {
  const folder = tempFolder(t)
  const port = await freePorts()
  const hub = `http://localhost:${port}`
  const { child } = await startProcess(t, 'dev', {
    MORTISE_PORT: String(port),
    MORTISE_DATA_DIR: folder,
    MORTISE_LOG_LEVEL: 'error',
  })
  const switches = await fetch(`http://localhost:${port + 1}/_sandbox/switches`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ provider: 'github', autoApprove: true, lifetime: 3600 }),
  })
  assert.equal(switches.status, 200)
  const { response } = await new Browser().follow(`${hub}/oauth/connect/github?connection_id=a`)
  assert.match(await response.text(), /GitHub is connected/)

  const file = join(folder, 'trace')
  const calls = 'trace=read,write,writev,sendto,sendmsg,recvfrom,pwrite64,fsync,fdatasync'
  const tracer = spawn('strace', ['-f', '-s', '2000', '-e', calls, '-o', file, '-p', String(child.pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  t.after(() => tracer.kill('SIGKILL'))
  let said = ''
  tracer.stderr.on('data', chunk => {
    said += chunk
  })
  await until(() => /attached/.test(said))
  const { status } = await getJson(`${hub}/connection/a?provider_config_key=github&force_refresh=true`)
  assert.equal(status, 200)
  tracer.kill('SIGINT')
  await once(tracer, 'close')

  const lines = readFileSync(file, 'utf8').split('\n')
  const after = (from: number, what: RegExp) => lines.findIndex((line, at) => at > from && what.test(line))
  // What the hub got: the sandbox is in the same process, so its own writing of it comes first.
  const got = after(-1, /(read|recvfrom)\(.*access_token|(read|recvfrom) resumed.*access_token/)
  assert.ok(got >= 0, 'the hub reads the answer of the provider')
  const written = after(got, /pwrite64\(/)
  const synced = after(written, /(fsync|fdatasync)\(\d+\) += 0|(fsync|fdatasync) resumed.*= 0/)
  const answered = after(got, /(write|writev|sendto|sendmsg)\(.*HTTP\/1\.1 200 OK.*provider_config_key/)
  assert.ok(written > got && synced > written, 'it writes it, and syncs')
  assert.ok(
    answered > synced,
    `the reader is answered after the sync (lines ${got}, ${written}, ${synced}, ${answered})`,
  )
})
