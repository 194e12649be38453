/**
 * Requests that try to make the proxy send a credential, or anything at all, where the definition does not say. Data: what
 * is asked of the hub, and what the world answers. `acme` is at api.acme.test, and names files.acme.test and *.cdn.acme.test
 * besides; `tenants` has its host of the connection's configuration; `kept` has it of the token's answer.
 */

/** Addresses of the played internet. */
export const at = {
  acme: '1.2.3.4',
  files: '1.2.3.5',
  cdn: '1.2.3.6',
  tenant: '1.2.3.7',
  kept: '1.2.3.8',
  evil: '6.6.6.6',
}

export interface Forgery {
  readonly name: string
  readonly door?: 'nango' | 'own'
  readonly method?: string
  /** After `/proxy/` or `/…/proxy/`, letter for letter. */
  readonly path?: string
  readonly headers?: readonly string[]
  /** A base URL in place of the definition's. */
  readonly base?: string
  readonly body?: string
  /** What the definition's own hosts answer. */
  readonly answer?: string
  /** Look-ups of evil.test, or of api.acme.test, as they come. */
  readonly names?: Readonly<Record<string, string[][]>>
  /** `nobody`: refused, and nothing is dialled. `acme`…: it reaches these, in this order, and nobody else. */
  readonly reaches: 'nobody' | readonly (keyof typeof at)[]
  /** The hub may cut it off without a word: Node's server knows no CONNECT. */
  readonly cutOff?: true
  /** Where it reaches somebody: what must not be in what they hear, and what must. */
  readonly never?: RegExp
  readonly heard?: RegExp
}

const bases: readonly [name: string, base: string][] = [
  ['another host', 'https://evil.test'],
  ['another host that the named one is a label of', 'https://api.acme.test.evil.test'],
  ['another host that ends in the name', 'https://notapi.acme.test.evil.test'],
  ['a host that ends in the name without a dot', 'https://evilapi.acme.test'],
  ['the suffix itself, where hosts below it are named', 'https://cdn.acme.test'],
  ['a host that only contains the suffix', 'https://x.cdn.acme.test.evil.test'],
  ['the name in the path', 'https://evil.test/api.acme.test'],
  ['the name as a user', 'https://api.acme.test@evil.test'],
  ['the name as a user with a password', 'https://api.acme.test:443@evil.test'],
  ['the name as a user, with an encoded @', 'https://api.acme.test%40evil.test'],
  ['two users', 'https://a@api.acme.test@evil.test'],
  ['a user at the named host', 'https://someone@api.acme.test'],
  ['a fragment before the host', 'https://evil.test#@api.acme.test'],
  ['a fragment after it', 'https://api.acme.test#.evil.test'],
  ['a query before the host', 'https://evil.test?@api.acme.test'],
  ['a query after it', 'https://api.acme.test?.evil.test'],
  ['a backslash that browsers take for a slash', 'https://evil.test\\@api.acme.test'],
  ['a backslash after the name', 'https://api.acme.test\\.evil.test'],
  ['an encoded slash in the host', 'https://api.acme.test%2f.evil.test'],
  ['an encoded dot', 'https://evil%2etest'],
  ['an encoded nul', 'https://api.acme.test%00.evil.test'],
  ['a tab inside', 'https://api.acme.test\t.evil.test'],
  ['no encryption', 'http://api.acme.test'],
  ['another port', 'https://api.acme.test:8443'],
  ['another port of a further host', 'https://files.acme.test:22'],
  ['no scheme', '//evil.test'],
  ['one slash', 'https:/evil.test'],
  ['no slash', 'https:evil.test'],
  ['three slashes', 'https:///evil.test'],
  ['a host alone', 'evil.test'],
  ['a file', 'file:///etc/passwd'],
  ['gopher', 'gopher://api.acme.test:70/_x'],
  ['data', 'data:text/plain,api.acme.test'],
  ['a web socket', 'wss://api.acme.test'],
  ['a blob', 'blob:https://api.acme.test/x'],
  ['a dotted full stop at the end', 'https://evil.test.'],
  ['loopback', 'https://127.0.0.1'],
  ['loopback, short', 'https://127.1'],
  ['loopback, decimal', 'https://2130706433'],
  ['loopback, hexadecimal', 'https://0x7f000001'],
  ['loopback, hexadecimal parts (CVE-2023-42282)', 'https://0x7f.1'],
  ['loopback, octal (CVE-2021-29418)', 'https://0177.0.0.1'],
  ['loopback, octal with zeros (CVE-2021-28918)', 'https://0000177.0.0.01'],
  ['loopback, full-width digits', 'https://１２７.０.０.１'],
  ['loopback, in circles', 'https://①②⑦.⓪.⓪.①'],
  ['nobody’s address', 'https://0.0.0.0'],
  ['zero', 'https://0'],
  ['IPv6 loopback', 'https://[::1]'],
  ['IPv6 loopback, long', 'https://[0000:0000:0000:0000:0000:0000:0000:0001]'],
  ['IPv4 in IPv6 (CVE-2024-29415)', 'https://[::ffff:127.0.0.1]'],
  ['IPv4 in IPv6, hexadecimal', 'https://[::ffff:7f00:1]'],
  ['IPv4-compatible', 'https://[::127.0.0.1]'],
  ['NAT64', 'https://[64:ff9b::7f00:1]'],
  ['NAT64 of one’s own', 'https://[64:ff9b:1::a9fe:a9fe]'],
  ['6to4', 'https://[2002:7f00:1::]'],
  ['Teredo', 'https://[2001:0:7f00:1::]'],
  ['link-local IPv6', 'https://[fe80::1]'],
  ['a zone', 'https://[fe80::1%25lo]'],
  ['unique local', 'https://[fd00:ec2::254]'],
  ['the metadata service', 'https://169.254.169.254'],
  ['the metadata service, decimal', 'https://2852039166'],
  ['the metadata service by name', 'https://metadata.google.internal'],
  ['the metadata service by another name', 'https://instance-data.ec2.internal'],
  ['a private network', 'https://10.0.0.1'],
  ['another', 'https://172.16.0.1'],
  ['the third', 'https://192.168.0.1'],
  ['shared address space', 'https://100.64.0.1'],
  ['benchmarking', 'https://198.18.0.1'],
  ['multicast', 'https://224.0.0.1'],
  ['broadcast', 'https://255.255.255.255'],
  ['localhost', 'https://localhost'],
  ['below localhost', 'https://api.acme.test.localhost'],
  ['a name that leads to loopback', 'https://loopback.test'],
  ['a look-alike (Cyrillic)', 'https://аpi.acme.test'],
  ['a look-alike, in ASCII', 'https://xn--pi-7sbn.acme.test'],
  ['a climb after another host', 'https://evil.test/../api.acme.test'],
]

/** What makes a library join two texts to another URL. */
const paths: readonly [name: string, path: string, heard: string | undefined][] = [
  ['an absolute URL (CVE-2025-27152)', 'https://evil.test/x', 'GET /v2/https://evil.test/x '],
  ['a URL without a scheme (CVE-2024-39338, CVE-2022-35949)', '//evil.test/x', 'GET /v2/evil.test/x '],
  ['three slashes', '///evil.test/x', 'GET /v2/evil.test/x '],
  ['a user', '@evil.test/x', 'GET /v2/@evil.test/x '],
  ['a user and a password', ':443@evil.test/x', 'GET /v2/:443@evil.test/x '],
  ['a port', ':8443/x', 'GET /v2/:8443/x '],
  ['a further label', '.evil.test/x', 'GET /v2/.evil.test/x '],
  ['a slash, encoded', '%2f%2fevil.test', 'GET /v2/%2f%2fevil.test '],
  ['an id with a slash, encoded', 'files/a%2Fb', 'GET /v2/files/a%2Fb '],
  ['a climb', '../admin', undefined],
  ['a climb in the middle', 'x/../../admin', undefined],
  ['an encoded climb', '%2e%2e/admin', undefined],
  ['a half encoded climb', '.%2e/admin', undefined],
  ['a climb with an encoded slash', '..%2fadmin', undefined],
  ['a climb, encoded twice', '%252e%252e%252fadmin', undefined],
  ['a climb with a parameter', '..;/admin', undefined],
  ['a backslash', '\\evil.test/x', undefined],
  ['a climb with backslashes', '..\\admin', undefined],
  ['an encoded backslash that climbs', '..%5cadmin', undefined],
  ['the end of a line, encoded', 'x%0d%0aHost:%20evil.test', 'GET /v2/x%0d%0aHost:%20evil.test '],
  ['a letter beyond ASCII that loses its upper half (CVE-2018-12116)', 'x\u010d\u010aHost:evil.test', undefined],
  ['a fragment', 'x#@evil.test', undefined],
]

const moved = (to: string, status = 302) =>
  `HTTP/1.1 ${status} Moved\r\nlocation: ${to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`

const away: readonly [name: string, location: string][] = [
  ['another host', 'https://evil.test/x'],
  ['another host, without a scheme', '//evil.test/x'],
  ['a backslash for a slash', '/\\evil.test/x'],
  ['the name as a user', 'https://api.acme.test@evil.test/x'],
  ['the same host without encryption (CVE-2022-0155)', 'http://api.acme.test/x'],
  ['the same host, another port', 'https://api.acme.test:8443/x'],
  ['loopback', 'https://127.0.0.1/x'],
  ['loopback, decimal', 'https://2130706433/x'],
  ['IPv4 in IPv6', 'https://[::ffff:169.254.169.254]/latest/meta-data'],
  ['the metadata service', 'http://169.254.169.254/latest/meta-data'],
  ['a host that the name is a label of', 'https://api.acme.test.evil.test/x'],
  ['a file', 'file:///etc/passwd'],
]

const smuggled: readonly [name: string, headers: readonly string[], never: RegExp][] = [
  ['another Host, prefixed', ['Nango-Proxy-Host: evil.test'], /evil\.test/],
  ['a credential of one’s own', ['Nango-Proxy-Authorization: Bearer mine'], /Bearer mine/],
  ['a cookie', ['Cookie: a=secret-cookie', 'Nango-Proxy-Cookie: a=secret-cookie'], /secret-cookie/],
  ['the hub’s own key as another header', ['Proxy-Authorization: Bearer mine'], /Bearer mine/i],
  ['where it came from', ['X-Forwarded-Host: evil.test', 'Forwarded: host=evil.test'], /evil\.test/],
  ['a length of one’s own', ['Nango-Proxy-Content-Length: 999'], /999/],
  ['a transfer encoding of one’s own', ['Nango-Proxy-Transfer-Encoding: chunked'], /transfer-encoding/i],
  ['an upgrade', ['Nango-Proxy-Upgrade: websocket', 'Nango-Proxy-Connection: upgrade'], /websocket/],
  ['a header named by Connection', ['Connection: x-secret', 'X-Secret: of-this-hop'], /of-this-hop/],
]

/** Look-ups of a host that is named, one after the other; two mean that it is asked twice. */
const rebound: readonly [name: string, lists: string[][]][] = [
  ['public at first, then this machine: the second call goes where the first went', [[at.cdn], ['127.0.0.1']]],
  ['this machine among public addresses', [[at.cdn, '127.0.0.1']]],
  ['this machine before public addresses', [['127.0.0.1', at.cdn]]],
  ['an IPv4 address in IPv6', [['::ffff:127.0.0.1']]],
  ['NAT64', [['64:ff9b::a9fe:a9fe']]],
  ['6to4', [['2002:7f00:1::']]],
  ['the metadata service', [['169.254.169.254']]],
  ['nobody’s address', [['0.0.0.0']]],
  ['nobody’s address in IPv6', [['::']]],
  ['a unique local address', [['fd12::1']]],
  ['a private network', [['10.1.2.3']]],
  ['no address', [[]]],
]

const cases: readonly Forgery[] = [
  ...bases.map(([name, base]): Forgery => ({ name: `base: ${name}`, base, reaches: 'nobody' })),
  ...paths.map(
    ([name, path, heard]): Forgery => ({
      name: `path: ${name}`,
      path,
      ...(heard === undefined
        ? { reaches: 'nobody' }
        : { reaches: ['acme'], heard: new RegExp(`^${heard.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}`) }),
    }),
  ),
  ...away.map(
    ([name, location]): Forgery => ({
      name: `redirect: ${name}`,
      answer: moved(location),
      reaches: ['acme'],
    }),
  ),
  ...[301, 302, 303, 307, 308].map(
    (status): Forgery => ({
      name: `redirect: ${status} of a POST is not followed`,
      method: 'POST',
      body: '{"secret":"of the body"}',
      answer: moved('https://files.acme.test/x', status),
      reaches: ['acme'],
    }),
  ),
  ...smuggled.map(
    ([name, headers, never]): Forgery => ({
      name: `header: ${name}`,
      door: 'nango',
      headers,
      reaches: ['acme'],
      never,
    }),
  ),
  {
    name: 'base: a climb ends where the path of a host begins',
    base: 'https://api.acme.test/v1/%2e%2e/../..',
    reaches: ['acme'],
    heard: /^GET \/x /,
  },
  {
    name: 'redirect: to a further host that is named, without what the caller sent',
    headers: ['X-Callers-Own: for-the-first-alone'],
    answer: moved('https://files.acme.test/x'),
    reaches: ['acme', 'files'],
  },
  {
    name: 'redirect: by way of a named host to another',
    answer: moved('https://a.cdn.acme.test/x'),
    reaches: ['acme', 'cdn'],
  },
  ...rebound.map(([name, lists], index): Forgery => {
    const host = `r${index}.cdn.acme.test`
    const reaches = lists.length > 1 ? (['cdn', 'cdn'] as const) : 'nobody'
    return { name: `rebinding: ${name}`, door: 'own', base: `https://${host}`, names: { [host]: lists }, reaches }
  }),
  { name: 'method: CONNECT', method: 'CONNECT', reaches: 'nobody', cutOff: true },
  { name: 'method: TRACE, whose answer would show the credential', method: 'TRACE', reaches: 'nobody' },
  {
    name: 'header: the end of a line in a value (CVE-2022-31150)',
    headers: ['X-A: b\rX-Smuggled: c'],
    reaches: 'nobody',
  },
  { name: 'header: a nul in a value', headers: ['X-A: b\u0000c'], reaches: 'nobody' },
  { name: 'header: a space before the colon', headers: ['X-A : b'], reaches: 'nobody' },
  {
    name: 'body: two lengths',
    method: 'POST',
    headers: ['Content-Length: 3', 'Content-Length: 30'],
    body: 'abc',
    reaches: 'nobody',
  },
  {
    name: 'body: a length and chunks',
    method: 'POST',
    headers: ['Content-Length: 3', 'Transfer-Encoding: chunked'],
    body: '0\r\n\r\n',
    reaches: 'nobody',
  },
  {
    name: 'body: chunked, written otherwise',
    method: 'POST',
    headers: ['Transfer-Encoding: xchunked'],
    body: '0\r\n\r\n',
    reaches: 'nobody',
  },
]

/** Each by both doors, where it does not say one. */
export const forgeries: readonly Forgery[] = cases.flatMap(each =>
  each.door
    ? [each]
    : [
        { ...each, door: 'nango' as const },
        { ...each, door: 'own' as const },
      ],
)

/** Values of a connection's configuration and of a token's answer that would move the host. */
export const hostValues = [
  'evil.test/x',
  'evil.test%2fx',
  'evil.test#',
  'evil.test?',
  'evil.test\\',
  'a@evil.test',
  'a:443',
  'a.b',
  'a%2eb',
  'evil.test%00',
  '..',
  '-a',
  'ａ/b',
  '127.0.0.1/',
  'x\r\ny',
]
export const keptValues = [
  'https://evil.test',
  'https://a.kept.test.evil.test',
  'https://evilkept.test',
  'https://kept.test',
  'http://a.kept.test',
  'https://a.kept.test@evil.test',
  'https://a.kept.test:8443',
  'https://evil.test#.kept.test',
  'https://evil.test?.kept.test',
  'https://evil.test\\.kept.test',
  'https://evil.test/.kept.test',
  '//a.kept.test',
  'https://127.0.0.1',
]
