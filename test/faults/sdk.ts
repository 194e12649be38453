/** Faults in the server SDK: where a key may go, what is done twice, what a delivery must be. */
import type { Fault } from './fault.ts'

const hub = 'test/node/hub.test.ts'
const way = 'test/node/send.test.ts'
const provider = 'test/node/provider.test.ts'
const webhooks = 'test/node/webhooks.test.ts'

const call = 'packages/node/src/call.ts'
const send = 'packages/node/src/send.ts'
const proxy = 'packages/node/src/proxy.ts'
const hooks = 'packages/node/src/webhooks.ts'

export const sdkFaults: readonly Fault[] = [
  {
    guard: 'an id of dots climbs to no other route',
    file: call,
    text: 'if (/^\\.\\.?$/.test(value))',
    becomes: 'if (false)',
    caughtBy: [hub, 'an id leads to nothing else'],
  },
  {
    guard: 'no id is no list',
    file: call,
    text: "if (typeof value !== 'string' || value === '')",
    becomes: "if (typeof value !== 'string')",
    caughtBy: [hub, 'an id leads to nothing else'],
  },
  {
    guard: 'an id is one part of a path',
    file: call,
    text: 'return encodeURIComponent(value)',
    becomes: 'return encodeURI(value)',
    caughtBy: [hub, 'a name of your own with any character'],
  },
  {
    guard: 'a key that cannot stand in a header is not repeated by the error',
    file: 'packages/node/src/index.ts',
    text: "if (typeof given === 'string' && /^[\\x21-\\x7e]+$/.test(given)) return given",
    becomes: "if (typeof given === 'string') return given",
    caughtBy: [hub, 'the URL and the key come from the environment'],
  },
  {
    guard: 'a key does not follow a redirect',
    file: send,
    text: "redirect: 'manual',",
    becomes: "redirect: 'follow',",
    caughtBy: [way, 'the key is not carried along a redirect'],
  },
  {
    guard: 'what makes something is made once',
    file: send,
    text: '(repeatable || !maybeDone)',
    becomes: 'true',
    caughtBy: [way, 'a POST is tried again only'],
  },
  {
    guard: 'what somebody must act upon is not tried again',
    file: send,
    text: 'const again = error.retryable &&',
    becomes: 'const again =',
    caughtBy: [way, 'what somebody must act upon'],
  },
  {
    guard: 'Retry-After is kept to',
    file: send,
    text: 'Math.max((error.retryAfter ?? 0) * 1000, pauseBefore(tried))',
    becomes: 'pauseBefore(tried)',
    caughtBy: [way, 'Retry-After is waited for'],
  },
  {
    guard: 'all tries have one end',
    file: send,
    text: ' || performance.now() + wait >= deadline',
    becomes: '',
    caughtBy: [way, 'Retry-After is waited for'],
  },
  {
    guard: 'one that is not there is deleted by nobody',
    file: call,
    text: "if (repeated && method === 'DELETE'",
    becomes: "if (method === 'DELETE'",
    caughtBy: [way, 'a deletion whose answer was lost'],
  },
  {
    guard: 'a key is revoked once',
    file: call,
    text: ": route !== 'DELETE /keys/{id}'",
    becomes: ': true',
    caughtBy: [way, 'a key is revoked once'],
  },
  {
    guard: 'a list with one cursor twice is ended',
    file: 'packages/node/src/list.ts',
    text: 'if (page.next === cursor)',
    becomes: 'if (false)',
    caughtBy: [way, 'a list that would never end'],
  },
  {
    guard: 'a proxied path does not climb to a route of the hub',
    file: proxy,
    text: 'if (/(^|\\/)(\\.|%2e){1,2}(\\/|$)/i.test(',
    becomes: 'if (/^never$/.test(',
    caughtBy: [provider, 'the path is sent as it is'],
  },
  {
    guard: 'a proxied path has nothing that a URL changes',
    file: proxy,
    text: 'if (/[\\\\#\\s\\p{Cc}]/u.test(path))',
    becomes: 'if (false)',
    caughtBy: [provider, 'the path is sent as it is'],
  },
  {
    guard: 'the credential is the hub’s to attach',
    file: proxy,
    text: "if (headers.has('authorization'))",
    becomes: 'if (false)',
    caughtBy: [provider, 'the path is sent as it is'],
  },
  {
    guard: 'an error of the hub is no answer of the provider',
    file: proxy,
    text: "if (response.headers.get('mortise-answer-from') === 'provider') return response",
    becomes: 'if (response.status > 0) return response',
    caughtBy: [provider, 'what the hub says no to is thrown'],
  },
  {
    guard: 'what the hub tried at the provider is not tried again',
    file: proxy,
    text: 'worth: ofTheWay,',
    becomes: '',
    caughtBy: [provider, 'the way to the hub is tried again'],
  },
  {
    guard: 'a stream is sent once',
    file: send,
    text: ' && !once &&',
    becomes: ' &&',
    caughtBy: [provider, 'the way to the hub is tried again'],
  },
  {
    guard: 'a walk without an end is told',
    file: 'packages/node/src/actions.ts',
    text: 'throw cut(undefined)',
    becomes: 'return',
    caughtBy: [provider, 'a walk that goes wrong on its way'],
  },
  {
    guard: 'who leaves a walk ends it',
    file: 'packages/node/src/lines.ts',
    text: 'await reader.cancel().catch(() => {})',
    becomes: '',
    caughtBy: [provider, 'who leaves a walk'],
  },
  {
    guard: 'a signature is looked at',
    file: hooks,
    text: 'if (!signed)',
    becomes: 'if (false)',
    caughtBy: [webhooks, 'what was changed on its way'],
  },
  {
    guard: 'a signature is compared whole',
    file: hooks,
    text: 'if (each.length === expected.length && timingSafeEqual(each, expected)) signed = true',
    becomes: 'if (each.equals(expected.subarray(0, each.length))) signed = true',
    caughtBy: [webhooks, 'what was changed on its way'],
  },
  {
    guard: 'the time is signed',
    file: hooks,
    text: 'update(`${id}.${timestamp}.`)',
    becomes: 'update(`${id}.${Math.floor(now.getTime() / 1000)}.`)',
    caughtBy: [webhooks, 'what was changed on its way'],
  },
  {
    guard: 'an old delivery is refused',
    file: hooks,
    text: 'if (!(Math.abs(sentAt.getTime() - now.getTime()) <= toleranceSeconds * 1000))',
    becomes: 'if (Math.abs(sentAt.getTime() - now.getTime()) > toleranceSeconds * 1000)',
    caughtBy: [webhooks, 'one that somebody kept'],
  },
  {
    guard: 'a secret that is none signs nothing',
    file: hooks,
    text: '[A-Za-z0-9+/]{16,}={0,2}$/',
    becomes: '.*$/',
    caughtBy: [webhooks, 'a mistake in how it is called'],
  },
]
