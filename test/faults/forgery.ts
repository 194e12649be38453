/** Faults in where a proxied request may go. */
import type { Fault } from './fault.ts'

const forgery = 'test/attacks/forgery.test.ts'
const headers = 'src/core/pass-headers.test.ts'
const goes = [forgery, 'a request of the proxy goes'] as const

export const forgeryFaults: readonly Fault[] = [
  {
    guard: 'a base URL stays within the hosts that the definition names',
    file: 'src/core/pass-url.ts',
    text: 'if (isNamed(caller, url, own) || allows(url)) return url',
    becomes: 'if (url) return url',
    caughtBy: goes,
  },
  {
    guard: 'a redirect is followed to a host that the definition names only',
    file: 'src/core/pass.ts',
    text: ' || !mayGo(client, next, given))',
    becomes: ')',
    also: { file: 'src/core/pass.ts', text: '    assertNamed(client, url, given)\n', becomes: '' },
    caughtBy: goes,
  },
  {
    guard: 'a redirect of what changes something is not followed',
    file: 'src/core/pass.ts',
    text: "const readsOnly = request.method === 'GET' || request.method === 'HEAD'",
    becomes: 'const readsOnly = true',
    caughtBy: goes,
  },
  {
    guard: "the caller's headers do not go along to another host",
    file: 'src/core/pass.ts',
    text: 'if (next.origin !== new URL(url).origin && !request.forwardHeaders) headers = {}',
    becomes: '',
    caughtBy: goes,
  },
  {
    guard: 'no part of a path climbs',
    file: 'src/core/api-path.ts',
    text: 'if (form.split(/[/\\\\]/).some(part => /^\\.{1,2}(;.*)?$/.test(part)))',
    becomes: 'if (form === undefined)',
    caughtBy: goes,
  },
  {
    guard: 'an address is public',
    file: 'src/net/reach.ts',
    text: 'if (!isAllowed(url) && !addresses.every(isPublic))',
    becomes: 'if (url === undefined)',
    caughtBy: goes,
  },
  {
    guard: 'each address of a name is public',
    file: 'src/net/reach.ts',
    text: '!addresses.every(isPublic)',
    becomes: '!addresses.some(isPublic)',
    caughtBy: goes,
  },
  {
    guard: 'a connection goes where the look-up that was checked led',
    file: 'src/net/pools.ts',
    text: '      ...(addresses ? { lookup: pinned(addresses) } : {}),\n',
    becomes: '',
    caughtBy: goes,
  },
  {
    guard: 'the credential of the hub itself does not travel',
    file: 'src/core/pass-headers.ts',
    text: "  'authorization',\n",
    becomes: '',
    caughtBy: goes,
  },
  {
    guard: 'what Connection names ends here',
    file: 'src/core/pass-headers.ts',
    text: ' && !further?.has(name)',
    becomes: '',
    caughtBy: goes,
  },
  {
    guard: 'a credential that stands in the query comes back in no header',
    file: 'src/core/pass-headers.ts',
    text: 'hidden === undefined\n    ? headers\n',
    becomes: 'hidden !== headers\n    ? headers\n',
    caughtBy: goes,
  },
  {
    guard: 'an answer does not steer the server in front of the hub',
    file: 'src/core/pass-headers.ts',
    text: "  'x-accel-',\n",
    becomes: '',
    caughtBy: [headers, 'an answer does not steer'],
  },
  {
    guard: "a caller's address does not travel",
    file: 'src/core/pass-headers.ts',
    text: "  'cf-',\n",
    becomes: '',
    caughtBy: [headers, 'what proxies and networks'],
  },
  {
    guard: 'a connection that leads elsewhere than was checked is not used',
    file: 'src/net/pools.ts',
    text: 'boolean => remote === address ||',
    becomes: "boolean => remote !== '' ||",
    caughtBy: goes,
  },
]
