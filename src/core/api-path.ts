/** A path of a provider's API that a caller gives, and why it cannot lead out of the definition's base. */
import { badParameter } from './errors.ts'

/** It stands below the base letter for letter. */
export const pathBelow = (base: URL, path: string): string => {
  // Clients put a slash before a path that has one.
  const rest = path.replace(/^\/+/, '')
  checkPath(rest)
  return `${base.pathname.replace(/\/+$/, '')}/${rest}`
}

/** No part of a path may climb, however it is written; what a server or a library may take for a part counts as one. */
export const checkPath = (path: string): void => {
  if (!/^[!-~]*$/.test(path) || /[\\#?]/.test(path))
    throw badParameter('path', 'The path must be plain ASCII, percent-encoded, without backslashes.')
  if (!path.includes('.') && !path.includes('%')) return
  for (let form = path, times = 0; times < 3; times++) {
    if (form.split(/[/\\]/).some(part => /^\.{1,2}(;.*)?$/.test(part)))
      throw badParameter('path', 'The path must not have a part that is . or .., encoded or not.')
    if (!form.includes('%')) return
    form = form.replaceAll(/%(2e|2f|5c|25)/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  }
}
