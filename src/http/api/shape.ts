/** What shapes are made of. */
import * as z from 'zod'
import { type ErrorCode, errorTable } from '../../core/errors.ts'

export const time = z.iso.datetime()
export const moment = (description: string) => time.meta({ description })
export const text = (description: string) => z.string().meta({ description })
export const texts = (description: string) => z.array(z.string()).meta({ description })

export const listOf = <S extends z.ZodType>(each: S) =>
  z.strictObject({
    data: z.array(each),
    next: z.string().nullable().meta({ description: 'The cursor of the next page; null after the last' }),
  })

export const codes = Object.keys(errorTable) as ErrorCode[]
