/** Bodies, read strictly: what is wrong in one is named with the place where it stands. */
import type { FastifyInstance } from 'fastify'
import * as z from 'zod'
import { didYouMean } from '../../core/alike.ts'
import { toMortiseError } from '../../core/errors.ts'
import { type Problem, Refusal } from './errors.ts'

/** JSON alone; and clients send the type of a body with no body. */
export const jsonBodies = (app: FastifyInstance): void => {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, given, done) => {
    try {
      done(null, given === '' ? undefined : JSON.parse(String(given)))
    } catch {
      done(new Refusal(400, 'invalid_json', 'The body is not JSON.'), undefined)
    }
  })
}

const problemsOf = (issue: z.core.$ZodIssue, names: readonly string[]): Problem[] => {
  const path = issue.path.map(each => (typeof each === 'symbol' ? String(each) : each))
  const at = path.length === 0 ? 'The body' : path.join('.')
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map(key => ({
      code: issue.code,
      message: `${[...path, key].join('.')} is not known here${didYouMean(key, names)}.`,
      path: [...path, key],
    }))
  if (issue.code === 'invalid_union') {
    const inner = issue.errors.toSorted((a, b) => b[0]?.path.length ?? 0 - (a[0]?.path.length ?? 0))[0]
    if (inner && inner.length > 0)
      return inner.flatMap(each => problemsOf({ ...each, path: [...issue.path, ...each.path] }, names))
  }
  return [{ code: issue.code, message: `${at}: ${issue.message}.`, path }]
}

/** A mistake that no schema sees, at its place in the body. */
export const wrongBody = (path: Problem['path'], message: string): Refusal =>
  new Refusal(400, 'invalid_body', message, [{ code: 'custom', message, path }])

/** What core refuses of a part of the body, as a mistake at that part. */
export const inBody = async <T>(path: Problem['path'], work: () => Promise<T> | T): Promise<T> => {
  try {
    return await work()
  } catch (thrown) {
    const error = toMortiseError(thrown)
    if (error.code !== 'invalid_request' && error.code !== 'not_found' && error.code !== 'conflict') throw error
    throw wrongBody(path, error.message)
  }
}

const parse = <Schema extends z.ZodType>(schema: Schema, body: unknown) => {
  try {
    return schema.safeParse(body)
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown
    throw new Refusal(400, 'invalid_body', 'The body is nested too deeply.')
  }
}

/** The body as the schema has it. Throws `invalid_body`, with every mistake in it. */
export const bodyOf = <Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> => {
  if (body === undefined)
    throw new Refusal(
      400,
      'invalid_body',
      'The body is missing: send a JSON object, with content-type: application/json.',
    )
  const read = parse(schema, body)
  if (read.success) return read.data
  const names = schema instanceof z.ZodObject ? Object.keys(schema.shape) : []
  const problems = read.error.issues.slice(0, 50).flatMap(issue => problemsOf(issue, names))
  throw new Refusal(400, 'invalid_body', problems.map(each => each.message).join(' '), problems)
}
