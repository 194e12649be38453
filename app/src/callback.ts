/** What a browser brings back to `/oauth/callback`, judged before anything is redeemed. */

export type Callback =
  /** A code, with the state of a sign-in that was begun here. Only this one may be redeemed. */
  | { readonly kind: 'code'; readonly code: string; readonly state: string }
  /** A code that no sign-in of this browser asked for: somebody else's, or one that is used already. */
  | { readonly kind: 'stranger' }
  | { readonly kind: 'error'; readonly error: string; readonly state: string | undefined }
  /** The provider's answer to the hub, where the hub's provider callback is registered at this address. */
  | { readonly kind: 'provider' }
  /** No parameter at all: what the vendor does. */
  | { readonly kind: 'nothing' }

/** S2's sentence. */
export const noCode = 'The callback was received but no authorization code was found'

export const notBegunHere =
  'This sign-in was not begun in this browser, or it is finished already. Nothing was redeemed.'

/** A state that the hub made for a provider: its environment, a dot, 256 random bits. Ours have no dot. */
const providerState = /^[0-9a-z]{1,11}\.[\w-]{43}$/

/** `isOurs` says whether this browser holds that state. */
export const readCallback = (query: URLSearchParams, isOurs: (state: string) => boolean): Callback => {
  // A parameter sent twice is ambiguous (RFC 6749 §3.1) and counts as not sent.
  const single = (name: string): string | undefined => {
    const values = query.getAll(name)
    return values.length === 1 && values[0] !== '' ? values[0] : undefined
  }
  const [state, code, error] = [single('state'), single('code'), single('error')]
  const ours = state !== undefined && isOurs(state)
  if (!ours && state !== undefined && providerState.test(state)) return { kind: 'provider' }
  if (error !== undefined) {
    // Words of a stranger's making are not shown.
    const description = ours ? single('error_description') : undefined
    const said = /^[\w.-]{1,100}$/.test(error) || ours ? error : 'unknown error'
    return { kind: 'error', error: description ? `${said}: ${description}` : said, state: ours ? state : undefined }
  }
  if (code !== undefined && ours) return { kind: 'code', code, state }
  return query.getAll('code').some(each => each !== '') ? { kind: 'stranger' } : { kind: 'nothing' }
}
