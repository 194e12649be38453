/**
 * What a provider's own reference says of the calls that its actions file describes: written from the examples there, and
 * never from the file, which would be its own witness.
 */
import type { Json } from '../../src/core/credential.ts'

/** What a caller gives. */
export interface Given {
  readonly action: string
  readonly path?: Readonly<Record<string, Json>>
  readonly query?: Readonly<Record<string, Json>>
  readonly body?: Json
}

export interface Reference {
  /** Those of every request, whole; with a body there is `content-type: application/json` besides. */
  readonly headers: Readonly<Record<string, string>>
  /** Each action once: what is asked for, letter for letter. The body is the one that was given. */
  readonly requests: readonly (Given & {
    readonly request: `${string} https://${string}`
    /** In the place of some of `headers`. */
    readonly headers?: Readonly<Record<string, string>>
  })[]
  /** What is refused before any call, and the field that the refusal names. */
  readonly mistakes: readonly (Given & { readonly field: string; readonly says: RegExp })[]
}
