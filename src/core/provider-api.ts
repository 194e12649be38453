/** How calls of a provider's API are made: the parts of `api` in a definition that say more than a header can. */
import * as z from 'zod'

const header = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'the name of a header')
  .meta({ description: 'The name of a header' })

/** Where a credential stands, where that is not a header with the token in it. */
export const placement = z
  .discriminatedUnion('in', [
    z.strictObject({
      in: z.literal('query'),
      param: z.string().min(1).meta({ description: 'The parameter that carries the token' }),
    }),
    z.strictObject({
      in: z.literal('body'),
      field: z.string().min(1).meta({ description: 'The field of the JSON object, or of the form, that carries it' }),
    }),
    z.strictObject({
      in: z.literal('basic'),
      token: z.enum(['user', 'password']).meta({ description: 'Which half of HTTP Basic the token is (RFC 7617)' }),
      other: z.string().default('').meta({ description: 'The other half; may hold ${config.x} and ${settings.x}' }),
    }),
    z.strictObject({
      in: z.literal('hmac').meta({ description: 'A header with the HMAC-SHA256 of the request, made with the token' }),
      header,
      prefix: z.string().default(''),
      message: z.string().min(1).meta({
        description:
          'What is signed; may hold ${method}, ${path} (with the query), ${body}, ${timestamp}, ${config.x} and ${settings.x}',
      }),
      encoding: z.enum(['hex', 'base64']).default('hex'),
      timestamp: z
        .strictObject({ header, unit: z.enum(['seconds', 'milliseconds']).default('seconds') })
        .optional()
        .meta({ description: 'The header that carries the time' }),
      id: header.optional().meta({
        description: 'Of a key with an id (basic: user and password): the header with the id; the password signs',
      }),
    }),
    z.strictObject({
      in: z.literal('sigv4').meta({
        description: 'AWS Signature Version 4, of a key given as basic: access key id and secret access key',
      }),
      service: z.string().min(1),
      region: z.string().min(1).meta({ description: 'May hold ${config.x} and ${settings.x}' }),
    }),
  ])
  .meta({ description: 'Where the credential stands, where that is not header and prefix' })

export type Placement = z.output<typeof placement>

export const retry = z
  .strictObject({
    times: z.int().min(0).max(10).default(2).meta({ description: 'How often more' }),
    on: z
      .array(z.int().min(400).max(599))
      .default([429, 502, 503, 504])
      .meta({ description: 'The statuses after which the same request may work' }),
    also: z
      .array(z.enum(['POST', 'PATCH']))
      .default([])
      .meta({
        description: 'Methods that the provider documents to be safe to repeat, besides those that HTTP says are',
      }),
  })
  .meta({ description: 'What a proxied call is tried again on; a Retry-After is waited for' })

export const expired = z
  .array(
    z
      .strictObject({
        status: z.int().min(400).max(599),
        path: z
          .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
          .optional()
          .meta({
            description: 'Where a code stands in the JSON body, as dotted keys; without it the status is enough',
          }),
        codes: z.array(z.string().min(1)).min(1).optional().meta({ description: 'The codes that mean it' }),
      })
      .refine(each => (each.path === undefined) === (each.codes === undefined), 'path and codes stand together'),
  )
  .min(1)
  .meta({
    description:
      'Answers that mean that the access token has expired; without it any 401 does, if the provider does not take it elsewhere either',
  })

export const failed = z
  .strictObject({
    path: z.string().min(1).meta({ description: 'Where the JSON body tells it, as dotted keys' }),
    equals: z.union([z.boolean(), z.string(), z.number()]).meta({ description: 'What stands there then' }),
    code: z.string().min(1).optional().meta({ description: "Where the provider's own word for the failure stands" }),
  })
  .meta({ description: 'How the provider tells of a failure in an answer whose status says that all went well' })
