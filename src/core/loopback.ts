/** Names and addresses that never leave the machine (RFC 6761 §6.3, RFC 1122 §3.2.1.3). */

/** Whether a URL's hostname (as `URL.hostname` gives it) is loopback: `localhost`, 127.0.0.0/8 or ::1. */
export const isLoopbackHost = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || hostname === '::1' || /^127(\.\d{1,3}){3}$/.test(hostname)

/** Whether what is sent there stays secret: https, or http on this machine; and the URL itself carries no password. */
export const isSecureUrl = (url: URL): boolean =>
  (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.hostname))) &&
  url.username === '' &&
  url.password === ''

/** A URL, or undefined for a text that is none. */
export const parseUrl = (text: string): URL | undefined => URL.parse(text) ?? undefined
