import { AlloyClient } from '../src/alloy-client.ts'
import { plain } from '../src/alloy-http.ts'
import { getConfig, setting } from '../src/config.ts'
import { titleOf } from '../src/notion-client.ts'
import { run } from './terminal.ts'

const usage = `Usage: npm run notion-example [-- <connection id>]

Reads the pages of a connection, writes a new page and updates it. Without an argument the
connection is CONNECTION_ID. The new page goes below SAMPLE_PAGE_ID, or below the first page that
the connection may see.

Settings (.env or the environment): ALLOY_BASE_URL, ALLOY_API_KEY, ALLOY_USER_ID, CONNECTION_ID,
SAMPLE_PAGE_ID`

const example = async (given: string | undefined): Promise<void> => {
  const config = getConfig()
  const client = new AlloyClient(config)
  const connection = await client.connectToIntegration(given ?? config.connectionId)
  console.log(`🔌 Connected: ${plain(connection.name ?? 'Notion')}\n`)

  const pages = await client.readPages()
  console.log(`📖 Read ${pages.length} page${pages.length === 1 ? '' : 's'}:`)
  for (const page of pages) console.log(`  ${titleOf(page) || '(no title)'}  ${page.id}`)

  const sample = setting('SAMPLE_PAGE_ID')
  const title = `Written by the reference application at ${new Date().toISOString()}`
  const page = await client.createPage({ title, ...(sample === undefined ? {} : { parent: { page_id: sample } }) })
  console.log(`\n✍️  Wrote a page: ${titleOf(page)}  ${page.id}`)

  await client.updatePage(page.id, { title: `${title}, then updated` })
  const again = await client.getPage(page.id)
  if (titleOf(again) !== `${title}, then updated`)
    throw new Error(`The page ${page.id} was updated, but Notion still shows its old title.`)
  console.log(`🔁 Updated it: ${titleOf(again)}`)
  // A page of the sandbox is not at notion.so.
  if (again.url !== undefined && !(await client.isSandbox(connection))) console.log(`   ${plain(again.url)}`)
}

await run(usage, ({ words }) => example(words[0]), { words: 1 })
