/** TLS in front of a hub, as a proxy has it, under the host names that clients have written into them. */
import { execFileSync } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createServer } from 'node:tls'
import { tempFolder } from './harness.ts'

export interface Front {
  readonly port: number
  /** The file of the authority that signed the certificate; for NODE_EXTRA_CA_CERTS. */
  readonly authority: string
  /** SHA-256 of the certificate's public key, for the one browser that is to take it. */
  readonly pin: string
}

/** Certificates for the names, made for this test alone, and whatever comes in passed on to a port. */
export const startFront = async (
  t: Pick<TestContext, 'after'>,
  to: number,
  names: readonly string[],
): Promise<Front> => {
  const folder = tempFolder(t)
  const at = (name: string) => join(folder, name)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  openssl('req', '-x509', ...key, '-subj', '/CN=test authority', '-keyout', at('ca.key'), '-out', at('ca.pem'))
  writeFileSync(at('names'), `subjectAltName=${names.map(name => `DNS:${name}`).join(',')}`)
  openssl('req', ...key, '-subj', '/CN=test', '-keyout', at('key.pem'), '-out', at('request.pem'))
  const signed = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-days', '2', '-extfile', at('names')]
  openssl('x509', '-req', '-in', at('request.pem'), ...signed, '-out', at('cert.pem'))
  const cert = readFileSync(at('cert.pem'))
  const server = createServer({ key: readFileSync(at('key.pem')), cert }, socket => {
    const behind = connect(to, '127.0.0.1')
    socket.pipe(behind).pipe(socket)
    socket.on('error', () => behind.destroy())
    behind.on('error', () => socket.destroy())
    socket.on('close', () => behind.destroy())
    open.add(socket)
    socket.on('close', () => open.delete(socket))
  })
  const open = new Set<{ destroy(): void }>()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(async () => {
    for (const socket of open) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  const spki = new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' })
  return {
    port: (server.address() as AddressInfo).port,
    authority: at('ca.pem'),
    pin: createHash('sha256').update(spki).digest('base64'),
  }
}
