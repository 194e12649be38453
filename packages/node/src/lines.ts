/** The lines of an answer, as they come: https://github.com/ndjson/ndjson-spec */

/** Who leaves the loop ends the answer. */
export async function* linesOf({ body }: Pick<Response, 'body'>): AsyncGenerator<string, void, undefined> {
  if (!body) return
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      rest += done ? decoder.decode() : decoder.decode(value, { stream: true })
      const lines = rest.split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (line.trim() !== '') yield line
      if (done) {
        if (rest.trim() !== '') yield rest
        return
      }
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}
