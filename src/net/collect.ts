/**
 * Bytes that pass through leave garbage outside V8's heap, 64 kB for each look at a socket, and V8 lets some 90 MB of it
 * lie before it collects. Each 16 MB that have passed, what is young is collected instead: a few milliseconds, and a
 * gigabyte takes no more memory than a kilobyte.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const each = 16_000_000

let passed = 0
let collect: ((options: { type: 'minor' }) => void) | undefined

/** So many bytes have passed. */
export const tell = (bytes: number): void => {
  passed += bytes
  if (passed < each) return
  passed = 0
  if (!collect) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as typeof collect
  }
  collect?.({ type: 'minor' })
}
