import type { Expectation } from './expectation.ts'
import { Registry } from './registry.ts'
import { serve } from './server.ts'
import { Store } from './store.ts'
import type { Sandbox, SandboxOptions } from './types.ts'

export type {
  Account,
  Answer,
  ApiCall,
  ApiRequest,
  Expect,
  Expectation,
  Expectation1,
  Introspected,
  Issue,
  Refusal,
  TokenCall,
} from './expectation.ts'
export { expectation, expectation1 } from './expectation.ts'
export type { Call, Client, Recorded, Sandbox, SandboxOptions, Switches } from './types.ts'

/** The expectations that come with the package. Loaded when asked for: a test that brings its own needs none. */
export const loadExpectations = async (): Promise<readonly Expectation[]> =>
  (await import('./defaults.ts')).expectations

/** OAuth 2.0 providers, played offline on loopback. `https://HOST/PATH` is served at `ORIGIN/HOST/PATH`. */
export const startSandbox = async (options: SandboxOptions): Promise<Sandbox> => {
  const now = options.now ?? Date.now
  const expectations = options.expectations ?? (await loadExpectations())
  const store = new Store(options.stateFile, now)
  const registry = new Registry(expectations, store, now, options.watch)
  const listening = await serve(registry, options.port)
  const origin = `http://localhost:${listening.port}`
  let closing: Promise<void> | undefined
  return {
    origin,
    register: client => registry.register(client),
    url: real => {
      if (!/^https:\/\/[^/]/.test(real)) throw new Error(`The sandbox serves https URLs only, not ${real}`)
      return `${origin}/${real.slice('https://'.length)}`
    },
    set: (provider, switches) => registry.set(provider, switches),
    reset: provider => registry.reset(provider),
    expire: token => store.expire(token),
    revoke: token => store.revoke(token),
    get calls() {
      return registry.calls
    },
    get requests() {
      return registry.requests
    },
    close: () => {
      closing ??= listening.close().then(() => store.flush())
      return closing
    },
  }
}
