/** The verbs of end users. */
import { alike } from './alike.ts'
import type { Context } from './context.ts'
import { type EndUser, isUsername, me, shownUserId } from './end-user.ts'
import type { Environment } from './environment.ts'
import { badParameter, MortiseError } from './errors.ts'
import { newId } from './ids.ts'
import { toTags } from './tags.ts'

/** The environment's own user, which has no row. */
export const ownUser = (environment: Pick<Environment, 'id' | 'createdAt'>): EndUser => ({
  environmentId: environment.id,
  id: shownUserId(environment.id, ''),
  username: me,
  createdAt: environment.createdAt,
  updatedAt: environment.createdAt,
})

const checked = (given: { readonly username: string; readonly fullName?: string }): void => {
  if (!isUsername(given.username))
    throw badParameter(
      'username',
      `username must be 1 to 255 characters without slashes, and neither an id nor "${me}": it is your app's own name for the user.`,
    )
  if (given.fullName !== undefined && !/^[^\p{Cc}]{0,255}$/u.test(given.fullName))
    throw badParameter('fullName', 'fullName must be at most 255 characters, without control characters.')
}

export const addEndUser = async (
  context: Context,
  environmentId: number,
  given: { readonly username: string; readonly fullName?: string },
): Promise<EndUser> => {
  checked(given)
  const now = context.clock.now()
  const user: EndUser = { environmentId, id: newId(now), ...given, createdAt: now, updatedAt: now }
  if (await context.storage.addEndUser(user)) return user
  const other = await context.storage.endUser(environmentId, { username: given.username })
  throw new MortiseError(
    'conflict',
    `There is a user "${given.username}" already${other ? `, with the id ${other.id}` : ''}.`,
    { parameter: 'username' },
  )
}

/** What an app tells of one of its people: a name for it, and what it wants kept. What it leaves out stays as it was. */
export type Told = Pick<EndUser, 'username' | 'fullName' | 'email' | 'tags' | 'organization'>

/**
 * The end user of that name, made if there is none, with what is told. Two at once make one. Unlike `addEndUser`, it takes
 * whatever name an app has for its people, an id of 24 hex digits or one with slashes too.
 */
export const knowEndUser = async (context: Context, environmentId: number, told: Told): Promise<EndUser> => {
  if (!/^[^\p{Cc}]{1,255}$/u.test(told.username) || told.username === me)
    throw badParameter(
      'end_user.id',
      `The id of an end user must be 1 to 255 characters without control characters, and not "${me}": it is your app's own name for the person.`,
    )
  for (const [name, value] of [
    ['display_name', told.fullName],
    ['email', told.email],
    ['organization.id', told.organization?.id],
    ['organization.display_name', told.organization?.name],
  ] as const)
    if (value !== undefined && !/^[^\p{Cc}]{1,255}$/u.test(value))
      throw badParameter(name, `${name} must be 1 to 255 characters, without control characters.`)
  const now = context.clock.now()
  return context.storage.tellEndUser({
    environmentId,
    id: newId(now),
    ...told,
    ...(told.tags ? { tags: toTags(told.tags, 'end_user.tags') } : {}),
    createdAt: now,
    updatedAt: now,
  })
}

/**
 * The end user that a caller names: an id (bare or as `user_…`), a username, or `me` (also: nobody) for the environment's
 * own. Throws `invalid_request` (end_user_unknown), with the nearest name. `source`: where the value stood.
 */
export const endUserNamed = async (
  context: Context,
  environment: Environment,
  text: string | undefined,
  source: string,
): Promise<EndUser> => {
  if (text === undefined || text === '' || text === me) return ownUser(environment)
  const id = /^(?:user_)?([0-9a-f]{24})$/i.exec(text)?.[1]?.toLowerCase()
  if (id === shownUserId(environment.id, '')) return ownUser(environment)
  const { storage } = context
  const byId = id === undefined ? undefined : await storage.endUser(environment.id, { id })
  const found = byId ?? (await storage.endUser(environment.id, { username: text }))
  if (found) return found
  const shown = text.slice(0, 100)
  const names = (await storage.endUsers(environment.id)).map(each => each.username)
  const near = alike(shown, names)
  throw new MortiseError(
    'invalid_request',
    `"${shown}" (${source}) is no user of the environment "${environment.name}"${near === undefined ? '' : `; the nearest is "${near}"`}. Send an id, a username, or "${me}", or leave it out: then the connection is the environment's own. A new user is made by: POST /users {"username": "${isUsername(shown) ? shown : 'their-id-in-your-app'}"}`,
    { reason: 'end_user_unknown', parameter: 'userId', received: shown },
  )
}

const noneOfOwn = (what: string): MortiseError =>
  new MortiseError('forbidden', `"${me}" is the environment's own user and can't be ${what}.`)

export const updateEndUser = async (
  context: Context,
  user: EndUser,
  next: { readonly username?: string; readonly fullName?: string },
): Promise<EndUser> => {
  if (user.username === me) throw noneOfOwn('changed')
  const updated: EndUser = { ...user, ...next, updatedAt: context.clock.now() }
  checked(updated)
  if (await context.storage.updateEndUser(updated)) return updated
  throw new MortiseError('conflict', `There is another user "${updated.username}" already.`, { parameter: 'username' })
}

/** With all its connections. */
export const deleteEndUser = async (context: Context, user: EndUser): Promise<void> => {
  if (user.username === me) throw noneOfOwn('deleted')
  await context.storage.deleteEndUser(user.environmentId, user.id, context.clock.now())
}

/** What a connection's `endUserId` is for this user. */
export const rowUserId = (user: EndUser): string => (user.username === me ? '' : user.id)
