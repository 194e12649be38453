/** One YAML file, opened and held against its schema: every mistake with its file, its line and its key. */
import { type Document, isNode, LineCounter, parseDocument, visit } from 'yaml'
import type { z } from 'zod'

export interface Problem {
  readonly file: string
  readonly line: number
  /** Dotted, '' for the file as a whole. */
  readonly key: string
  readonly message: string
}

export const problemText = (problem: Problem): string =>
  `${problem.file}:${problem.line}: ${problem.key === '' ? '' : `${problem.key}: `}${problem.message}`

export interface YamlFile {
  readonly document: Document
  /** A mistake at a key, or at the nearest thing around it that is there. */
  problem(path: readonly PropertyKey[], message: string): Problem
}

/** The text as YAML. */
export const openYaml = (file: string, text: string): YamlFile | { problems: Problem[] } => {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false })
  const at = (offset: number | undefined) => lines.linePos(offset ?? 0).line
  if (document.errors.length > 0)
    return {
      problems: document.errors.map(error => ({ file, line: at(error.pos[0]), key: '', message: error.message })),
    }
  // An alias without its anchor is found only when the document is resolved, and thrown then.
  const dangling: Problem[] = []
  visit(document, {
    Alias(_, alias) {
      if (!alias.resolve(document))
        dangling.push({ file, line: at(alias.range?.[0]), key: '', message: `there is no anchor &${alias.source}` })
    },
  })
  if (dangling.length > 0) return { problems: dangling }
  return {
    document,
    problem: (path, message) => ({
      file,
      line: at(offsetOf(document, path)),
      key: path.map(String).join('.'),
      message,
    }),
  }
}

/** The file's content, in the shape that the schema says. */
export const readAs = <T>(yaml: YamlFile, schema: z.ZodType<T>): { data: T } | { problems: Problem[] } => {
  let content: unknown
  try {
    // More than the library's own bound, which a long list of actions with a common parameter would reach.
    content = yaml.document.toJS({ maxAliasCount: 10_000 })
  } catch (error) {
    return { problems: [yaml.problem([], error instanceof Error ? error.message : String(error))] }
  }
  const parsed = schema.safeParse(content)
  if (parsed.success) return { data: parsed.data }
  return {
    problems: parsed.error.issues.flatMap(issue =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map(key => yaml.problem([...issue.path, key], 'is not a key of the schema'))
        : [yaml.problem(issue.path, issue.message)],
    ),
  }
}

/** The offset of a key, or of the nearest thing around it that is there. */
const offsetOf = (document: Document, path: readonly PropertyKey[]): number | undefined => {
  for (let length = path.length; length > 0; length--) {
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true)
    const items = (parent as { items?: { key?: unknown }[] } | undefined)?.items
    const pair = items?.find(item => String(item.key) === String(path[length - 1]))
    if (isNode(pair?.key)) return pair.key.range?.[0]
    const node = document.getIn(path.slice(0, length), true)
    if (isNode(node)) return node.range?.[0]
  }
  return document.contents?.range?.[0]
}
