/** How a column is read as a property of a noun. */

/** An optional property of a noun: left out where the column is NULL. */
export const optional = <K extends string, V, R>(key: K, value: V | null, read: (value: V) => R): { [key in K]?: R } =>
  (value === null ? {} : { [key]: read(value) }) as { [key in K]?: R }
export const same = <T>(value: T): T => value
export const date = (ms: number): Date => new Date(ms)
