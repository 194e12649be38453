/** Tags: short texts by name, by which an app finds its connections again, and its people. */
import { badParameter } from './errors.ts'

export type Tags = Readonly<Record<string, string>>

const most = { tags: 64, name: 64, value: 255 }

/**
 * Tags as they are kept: the names in lower case. Throws `invalid_request` for what is none, and for two names that differ
 * in nothing but their case. `where`: what the caller calls them.
 */
export const toTags = (given: Readonly<Record<string, string>>, where = 'tags'): Tags => {
  const tags = new Map<string, string>()
  for (const [name, value] of Object.entries(given)) {
    const lower = name.toLowerCase()
    const shown = name.slice(0, 80)
    if (!/^[a-z][a-z0-9_./-]*$/.test(lower) || lower.length > most.name)
      throw badParameter(
        where,
        `${where} has the name "${shown}": a name is 1 to ${most.name} letters, digits and _ . / -, and begins with a letter.`,
      )
    if (tags.has(lower))
      throw badParameter(where, `${where} has "${shown}" twice: names differ in more than their case.`)
    if (!/^[^\p{Cc}]+$/u.test(value) || value.length > most.value)
      throw badParameter(where, `${where}.${shown} must be 1 to ${most.value} characters, without control characters.`)
    tags.set(lower, value)
  }
  if (tags.size > most.tags) throw badParameter(where, `${where} has ${tags.size} tags; there may be ${most.tags}.`)
  return Object.fromEntries(tags)
}

/** What a connection of this person is tagged with, besides what the app says. */
export const personTags = (user: {
  readonly username: string
  readonly email?: string
  readonly fullName?: string
}): Tags => ({
  end_user_id: user.username,
  ...(user.email === undefined ? {} : { end_user_email: user.email }),
  ...(user.fullName === undefined ? {} : { end_user_display_name: user.fullName }),
})
