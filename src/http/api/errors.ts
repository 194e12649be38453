/** Every core code → body of our own API. The status is the hub's own: `../status.ts`. */
import { errorTable, type MortiseError } from '../../core/errors.ts'
import type { ErrorShape } from './shapes.ts'

/** Where core calls a parameter by another dialect's name. */
const ownNames: Readonly<Record<string, string>> = {
  unique_key: 'key',
  'end_user.id': 'endUser.username',
  display_name: 'displayName',
}

/** What a caller named itself, in the input of an action. */
const ofCaller = /^(path|query|body|headers)\./

const ownName = (parameter: string): string =>
  ofCaller.test(parameter)
    ? parameter
    : (ownNames[parameter] ?? parameter.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()))

export const toError = ({ code, message, details }: MortiseError, requestId: string): ErrorShape => ({
  error: {
    code,
    message,
    ...(details.reason === undefined ? {} : { reason: details.reason }),
    actor: errorTable[code].who,
    ...(details.parameter === undefined ? {} : { parameter: ownName(details.parameter) }),
    requestId,
  },
})
