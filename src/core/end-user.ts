/** An end user: one person, or one customer, on whose behalf an app connects accounts. */
import { sha256 } from './ids.ts'
import type { Tags } from './tags.ts'

export interface EndUser {
  readonly environmentId: number
  /** 24 hex digits. */
  readonly id: string
  /** The app's own name for it, unique in the environment. */
  readonly username: string
  readonly fullName?: string
  readonly email?: string
  readonly tags?: Tags
  /** The customer of the app that this person belongs to, by the app's own name for it. */
  readonly organization?: { readonly id: string; readonly name?: string }
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** How a caller names the environment's own user. */
export const me = 'me'

/**
 * The environment's own user: what a flow belongs to that names nobody. It has no row; its connections carry the end user
 * id ''. Its id is made of the environment's, so that it is the same in every process.
 */
const ownUserId = (environmentId: number): string => sha256(`the own user of ${environmentId}`).slice(0, 24)

/** An end user id as it is shown: '' has one too. */
export const shownUserId = (environmentId: number, endUserId: string): string =>
  endUserId === '' ? ownUserId(environmentId) : endUserId

/** What a username may be: 1 to 255 characters, none of them a control character or a slash; ids and `me` are taken. */
export const isUsername = (text: string): boolean =>
  /^[^\p{Cc}/]{1,255}$/u.test(text) && text !== me && !/^(user_)?[0-9a-f]{24}$/i.test(text)
