/** A parameter in the query of a URL, or of every URL in a text; what else stands there stays letter for letter. Pure. */

/** What a pair of a query is named. */
const nameIn = (pair: string): string => decoded(pair.split('=')[0]?.replaceAll('+', ' ') ?? '')

/** What its escapes stand for; the text itself where one stands for nothing. */
export const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const pairsOf = (query: string): string[] => query.split('&').filter(each => each !== '')

/** A query without its question mark. */
export const queryWithout = (query: string, param: string): string =>
  pairsOf(query)
    .filter(each => nameIn(each) !== param)
    .join('&')

/** Whether a pair holds a whole URL that has it, encoded perhaps more than once. */
const holds = (pair: string, param: string): boolean => {
  let form = pair
  for (let times = 0; times < 3 && form.includes('%'); times++) {
    form = decoded(form)
    if (
      form
        .split(/[?&]/)
        .slice(1)
        .some(each => nameIn(each) === param)
    )
      return true
  }
  return form
    .split('?')
    .slice(1)
    .some(each => nameIn(each) === param)
}

/** The text, like the value of a Link header, with the parameter taken out of every URL in it. */
export const withoutParam = (text: string, param: string): string =>
  text.replace(/\?([^#<>"\s]*)/g, (_, query: string) => {
    const rest = pairsOf(queryWithout(query, param))
      .filter(each => !holds(each, param))
      .join('&')
    return rest === '' ? '' : `?${rest}`
  })

let latest: { readonly text: string; readonly url: URL } | undefined

/** The URL of a text, or throws a TypeError. Kept for who looks at the same one next (`sameUrl`): no secret stands in it. */
export const keptUrl = (text: string): URL => {
  latest = { text, url: new URL(text) }
  return latest.url
}

/** The one that was kept last, where it is of this text; nobody changes it. Else one anew, which is not kept. */
export const sameUrl = (text: string): URL => (latest?.text === text ? latest.url : new URL(text))

/** What follows the origin, as it is sent: letter for letter where the URL is written as its origin and what follows. */
export const afterOrigin = (text: string, url: URL): string =>
  text.startsWith(`${url.origin}/`) && !text.includes('#') ? text.slice(url.origin.length) : url.pathname + url.search
