/** Every core code → body of our own API. The status is the hub's own: `../status.ts`. */
import { errorTable, type MortiseError } from '../../core/errors.ts'
import type { ErrorShape } from './shapes.ts'

export const toError = ({ code, message, details }: MortiseError, requestId: string): ErrorShape => ({
  error: {
    code,
    message,
    ...(details.reason === undefined ? {} : { reason: details.reason }),
    actor: errorTable[code].who,
    ...(details.parameter === undefined ? {} : { parameter: details.parameter }),
    requestId,
  },
})
