/** What can be connected. */
import { isObject } from './alloy-http.ts'

/** The rows of `{connectors: […]}`, `{data: […]}` or a bare array. */
export const connectorsOf = (answer: unknown): Readonly<Record<string, unknown>>[] => {
  const list = isObject(answer) ? (answer['connectors'] ?? answer['data']) : answer
  return Array.isArray(list) ? list.filter(isObject) : []
}
