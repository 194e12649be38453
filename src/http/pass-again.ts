/** How often a proxied call is tried, and after what: two headers that every API with a proxy has, by a name of its own. */
import type { PassRequest } from '../core/pass-request.ts'

export interface AgainNames {
  readonly retries: string
  readonly retryOn: string
}

/** `read` gives a header, and `refuse` makes the error of one that is no such value. */
export const againIn = (
  names: AgainNames,
  read: (name: string) => string | undefined,
  refuse: (name: string, message: string) => Error,
): Pick<PassRequest, 'retries' | 'retryOn'> => {
  const retries = read(names.retries)
  if (retries !== undefined && !/^([0-9]|10)$/.test(retries))
    throw refuse(names.retries, `${names.retries} must be a number from 0 to 10.`)
  const retryOn = read(names.retryOn)
    ?.split(',')
    .map(each => each.trim())
  if (retryOn?.some(each => !/^[1-5]\d\d$/.test(each)))
    throw refuse(names.retryOn, `${names.retryOn} must be statuses, with commas between them.`)
  return {
    ...(retries === undefined ? {} : { retries: Number(retries) }),
    ...(retryOn ? { retryOn: retryOn.map(Number) } : {}),
  }
}
