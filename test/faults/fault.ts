/** One guard taken away, and the test that must notice. */
export interface Fault {
  readonly guard: string
  readonly file: string
  /** Stands there once. */
  readonly text: string
  readonly becomes: string
  /** The test file, and the beginning of the name of the test that must fail. */
  readonly caughtBy: readonly [file: string, name: string]
}
