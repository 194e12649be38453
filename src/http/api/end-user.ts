/** The end user that a caller names, or tells of. */
import type { Context } from '../../core/context.ts'
import type { EndUser } from '../../core/end-user.ts'
import type { Environment } from '../../core/environment.ts'
import { endUserNamed, knowEndUser, type Told } from '../../core/users.ts'
import type { EndUserAsk } from './shapes.ts'

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> }

/** Without the fields that are there and undefined. */
const defined = <T extends object>(given: T): Partial<Defined<T>> =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<Defined<T>>

export const toTold = ({ username, organization, ...rest }: Exclude<EndUserAsk, string>): Told => ({
  username,
  ...defined(rest),
  ...(organization ? { organization: { id: organization.id, ...defined({ name: organization.name }) } } : {}),
})

/** One that is named must be known; one that is told of is made, or learns what is new. */
export const endUserOf = (context: Context, environment: Environment, ask: EndUserAsk | undefined): Promise<EndUser> =>
  typeof ask === 'object'
    ? knowEndUser(context, environment.id, toTold(ask))
    : endUserNamed(context, environment, ask, 'endUser in the body')
