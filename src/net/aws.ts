/** Signs requests by AWS Signature Version 4 with the library aws4, which is loaded at the first. */
import type { SignAws } from '../core/ports.ts'

export const signAws: SignAws = async ({ method, url, headers, body, service, region, at, keyId, secret }) => {
  const { default: aws4 } = await import('aws4')
  const { host, pathname, search } = new URL(url)
  const type = headers['content-type']
  const given: Record<string, string> = {
    host,
    'x-amz-date': at.toISOString().replaceAll(/[-:]|\.\d+/g, ''),
    ...(typeof type === 'string' ? { 'content-type': type } : {}),
    ...(body === 'unsigned' ? { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } : {}),
  }
  // What the caller says to AWS itself is signed, too, as AWS demands.
  for (const [name, value] of Object.entries(headers))
    if (name.startsWith('x-amz-') && name !== 'x-amz-date' && typeof value === 'string') given[name] ??= value
  const signed = aws4.sign(
    {
      method,
      host,
      path: pathname + search,
      service,
      region,
      headers: given,
      ...(body === undefined || body === 'unsigned'
        ? {}
        : { body: typeof body === 'string' ? body : Buffer.from(body) }),
    },
    { accessKeyId: keyId, secretAccessKey: secret.reveal() },
  )
  return Object.fromEntries(
    Object.entries(signed.headers ?? {}).flatMap(([name, value]) =>
      /^(host|content-length)$/i.test(name) || value === undefined ? [] : [[name.toLowerCase(), String(value)]],
    ),
  )
}
