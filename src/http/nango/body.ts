/** A body, read strictly: what is wrong with it is named, each by its path. */
import type * as z from 'zod'
import { didYouMean } from '../../core/alike.ts'
import { MortiseError } from '../../core/errors.ts'
import type { IssueShape } from './shapes.ts'

/** `invalid_body`: `error.errors` of the wire lists what is wrong. */
export class BodyError extends MortiseError {
  readonly issues: readonly IssueShape[]
  constructor(issues: readonly IssueShape[]) {
    const said = issues
      .slice(0, 3)
      .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    super('invalid_request', `The body is not right. ${said.join(' ')}`, { reason: 'body' })
    this.issues = issues
  }
}

/** A mistake that no schema sees. */
export const wrongBody = (path: IssueShape['path'], message: string): BodyError =>
  new BodyError([{ code: 'custom', message, path }])

/** Throws `BodyError`. `known`: the names that the body may have, for one that is misspelt. */
export const readBody = <T>(shape: z.ZodType<T>, body: unknown): T => {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw wrongBody([], 'Send a JSON object, with content-type: application/json.')
  const read = shape.safeParse(body)
  if (read.success) return read.data
  throw new BodyError(read.error.issues.flatMap(toIssues(shape)))
}

const toIssues =
  (shape: z.ZodType) =>
  (issue: z.core.$ZodIssue): IssueShape[] => {
    const path = issue.path.map(step => (typeof step === 'symbol' ? String(step) : step))
    if (issue.code !== 'unrecognized_keys') return [{ code: issue.code, message: `${issue.message}.`, path }]
    const known = path.length === 0 && 'shape' in shape ? Object.keys(shape.shape as object) : []
    return issue.keys.map(key => ({
      code: issue.code,
      message: `"${key.slice(0, 80)}" is not known here${didYouMean(key.slice(0, 80), known)}.`,
      path: [...path, key.slice(0, 80)],
    }))
  }
