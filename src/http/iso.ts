/** Times on the wire. `Date.prototype.toISOString` takes a microsecond, which three times a read is felt. */

const day = 86_400_000
const two = Array.from({ length: 60 }, (_, n) => String(n).padStart(2, '0'))
/** The days that were asked for lately, as text. */
const days = new Map<number, string>()

const dayText = (number: number): string => {
  const known = days.get(number)
  if (known !== undefined) return known
  if (days.size >= 1000) days.clear()
  const text = new Date(number * day).toISOString().slice(0, 11)
  days.set(number, text)
  return text
}

/** `2026-11-21T10:00:00.000`, in UTC and without its sign: some write it `Z`, some `+00:00`. */
export const isoTime = (ms: number): string => {
  const number = Math.floor(ms / day)
  const rest = ms - number * day
  const seconds = Math.floor(rest / 1000)
  const [hour, minute] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  return `${dayText(number)}${two[hour]}:${two[minute]}:${two[seconds % 60]}.${String(1000 + (rest % 1000)).slice(1)}`
}
