/** The browser SDK as a classic script, made from its module, `packages/web/src/mortise.js`. */
import { Script } from 'node:vm'

/** What only a module has, and what a classic script has in its place. */
const inPlace: readonly (readonly [module: string, classic: string])[] = [
  // Not in one piece: the build of the hub puts something else in the place of that.
  [['import', 'meta', 'url'].join('.'), 'document.currentScript?.src'],
  ['\nexport { alloy, connect }\n', '\nglobalThis.alloy = alloy\n'],
]

/**
 * The text of `mortise.js`, wrapped so that a plain `<script src>` defines the global `alloy`. An assignment, not a `var`:
 * the page may declare an `alloy` of its own. Throws where the text is not what it knows, so that a hub never serves a
 * script that cannot run.
 */
export const classicScript = (moduleText: string): string => {
  let text = moduleText
  for (const [module, classic] of inPlace) {
    const parts = text.split(module)
    if (parts.length !== 2)
      throw new Error(
        `The browser SDK must have exactly one ${JSON.stringify(module)}, and has ${parts.length - 1}. Change classic-script.ts with it.`,
      )
    text = parts.join(classic)
  }
  const script = `;(() => {\n'use strict'\n${text}})()\n`
  // Only compiled, never run here: an import, another export or an await outside a function is a syntax error.
  new Script(script, { filename: 'alloy.js' })
  return script
}
