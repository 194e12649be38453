/** The name that was probably meant: the one most alike, if any is. */
export const alike = (given: string, names: readonly string[]): string | undefined => {
  const bare = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, '')
  const [nearest] = names
    .map(name => ({
      name,
      far: distance(bare(name), bare(given)),
      length: Math.max(bare(name).length, bare(given).length),
    }))
    .filter(({ far, length }) => far <= length / 2)
    .sort((a, b) => a.far - b.far)
  return nearest?.name
}

/** "(did you mean x?)" after a space, or nothing. */
export const didYouMean = (given: string, names: readonly string[]): string => {
  const name = alike(given, names)
  return name === undefined ? '' : ` (did you mean ${name}?)`
}

/** How many letters must be put in, left out or replaced to make one text of the other (Levenshtein). */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1]
    for (const [j, other] of [...b].entries())
      next.push(Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (letter === other ? 0 : 1)))
    row = next
  }
  return row.at(-1) ?? 0
}
