/** Faults in what a proxied call may send, where, and what of its answer comes back. */
import type { Fault } from './fault.ts'

const proxy = 'test/proxy.test.ts'
const again = 'test/proxy.again.test.ts'
const rules = 'src/core/pass-rules.test.ts'
const kept = 'test/proxy.kept.test.ts'

export const proxyFaults: readonly Fault[] = [
  {
    guard: 'a base that a caller gives is at a named host',
    file: 'src/core/pass-url.ts',
    text: 'if (isNamed(caller, url, own) || allows(url)) return url',
    becomes: 'if (url.host !== "") return url',
    caughtBy: [rules, 'is the base, or another named host'],
  },
  {
    guard: 'a path does not climb',
    file: 'src/core/api-path.ts',
    text: 'if (form.split(/[/\\\\]/).some(part => /^\\.{1,2}(;.*)?$/.test(part)))',
    becomes: 'if (form === "..")',
    caughtBy: [proxy, 'cannot leave the base'],
  },
  {
    guard: 'a redirect leads to named hosts only',
    file: 'src/core/pass.ts',
    text: ' || !mayGo(client, next, given)',
    becomes: '',
    caughtBy: [again, 'of a GET or HEAD is followed'],
  },
  {
    guard: 'what is written is never redirected',
    file: 'src/core/pass.ts',
    text: '!readsOnly || ',
    becomes: '',
    caughtBy: [again, 'of a GET or HEAD is followed'],
  },
  {
    guard: 'a header of one hop ends there',
    file: 'src/core/pass-headers.ts',
    text: ' && !further?.has(name)',
    becomes: '',
    caughtBy: [proxy, 'is the method, path, query and body'],
  },
  {
    guard: "a caller's cookies and key never travel",
    file: 'src/core/pass-headers.ts',
    text: 'without(headers, endsHere)',
    becomes: 'without(headers, oneOf(new Set(ofHop), []))',
    caughtBy: [proxy, 'is the method, path, query and body'],
  },
  {
    guard: "a provider's page does not run in the hub's origin",
    file: 'src/http/pass.ts',
    text: ', ...gained }',
    becomes: ' }',
    caughtBy: [proxy, 'is the status, the body and the headers'],
  },
  {
    guard: 'cookies of a provider end at the hub',
    file: 'src/core/pass-headers.ts',
    text: 'without(headers, ofTheOrigin)',
    becomes: 'without(headers, oneOf(new Set(ofHop), []))',
    caughtBy: [proxy, 'is the status, the body and the headers'],
  },
  {
    guard: 'a slow reader holds the sender back',
    file: 'src/net/body.ts',
    text: 'if (!sink.write(piece)) pause()',
    becomes: 'sink.write(piece)',
    caughtBy: [proxy, 'a slow reader stalls'],
  },
  {
    guard: 'a refusal that is no expiry spends no refresh token',
    file: 'src/core/mend.ts',
    text: 'if (!told && askedAs(',
    becomes: 'if (false && askedAs(',
    caughtBy: [again, 'spends nothing'],
  },
  {
    guard: 'a path of a walk is held to the rule of the proxy',
    file: 'src/core/action-request.ts',
    text: 'action.free ? pathBelow(base, action.path) : ',
    becomes: '',
    caughtBy: ['src/core/api-path.test.ts', 'of a walk'],
  },
  {
    guard: 'a token in the query stands in no place of a walk',
    file: 'src/core/walk.ts',
    text: "withoutParam(after, options.hidden ?? '')",
    becomes: 'after',
    caughtBy: ['test/actions.again.test.ts', 'a token in the query'],
  },
  {
    guard: 'an action renews by the rule of the proxy',
    file: 'src/core/run-action.ts',
    text: 'if (!(await mend.isExpiry(sender, answer.status, () => answer.body))) return answer',
    becomes: 'if (answer.status !== 401) return answer',
    caughtBy: ['test/actions.again.test.ts', 'by the word of the definition'],
  },
  {
    guard: 'who a call is made for is found anew after a commit',
    file: 'src/core/sender.ts',
    text: 'if (current !== version) kept.clear()',
    becomes: '',
    caughtBy: [kept, 'is found anew after a commit of another process'],
  },
  {
    guard: 'what was read before a commit is not kept after it',
    file: 'src/core/sender.ts',
    text: ' && current === version',
    becomes: '',
    caughtBy: [kept, 'is not kept as it was before a commit'],
  },
  {
    guard: 'a kept credential is looked at for its end',
    file: 'src/core/sender.ts',
    text: 'if (known && isFreshAt(known.row, catalogue.get(known.row.provider), clock.now().getTime()))',
    becomes: 'if (known)',
    caughtBy: [kept, 'is found anew when its token ends'],
  },
  {
    guard: 'two connections never share what is kept',
    file: 'src/core/sender.ts',
    text: ' ${sought.integrationKey.length} ',
    becomes: ' ',
    caughtBy: [kept, 'is never taken for another'],
  },
  {
    guard: 'nobody is called as another is kept',
    file: 'src/core/sender.ts',
    text: '}: ${sought.called}',
    becomes: '} ${sought.called}',
    caughtBy: [kept, 'is never taken for another'],
  },
  {
    guard: 'an opened credential is kept for seconds only',
    file: 'src/core/sender.ts',
    text: '      ending = false\n      kept.clear()',
    becomes: '      ending = false',
    caughtBy: [kept, 'is forgotten after ten seconds'],
  },
]
