/** Pictures of providers. */

/** A letter on a square: every connector has a picture, and none is fetched from anywhere. */
export const iconOf = (name: string): string =>
  `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="6" fill="#334"/><text x="16" y="22" font-family="sans-serif" font-size="18" text-anchor="middle" fill="#fff">${/^[A-Za-z0-9]/.exec(name)?.[0] ?? '?'}</text></svg>`)}`
