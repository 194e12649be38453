/** Values of pages and columns of databases: as written by a caller, and as read back. */
import { invalid, isObject, type Json, readRichText, uuid } from './notion-store.ts'

/** https://developers.notion.com/reference/property-object; those that Notion fills in itself. */
const computed = ['formula', 'rollup', 'created_time', 'created_by', 'last_edited_time', 'last_edited_by', 'unique_id']
const texts = ['url', 'email', 'phone_number']
const lists = ['people', 'relation', 'files']
const types = [
  'title',
  'rich_text',
  'number',
  'select',
  'status',
  'multi_select',
  'date',
  'checkbox',
  ...texts,
  ...lists,
  ...computed,
]

/** The option that was named, or another of that name: Notion adds what a column does not have yet. */
const option = (at: string, given: unknown): Json => {
  const name = isObject(given) ? given['name'] : undefined
  if (typeof name !== 'string') throw invalid(`body failed validation: ${at}.name should be a string.`)
  return { id: uuid('option', name), name, color: 'default' }
}

const date = (at: string, value: unknown): Json => {
  if (!isObject(value) || typeof value['start'] !== 'string')
    throw invalid(`body failed validation: ${at}.date.start should be defined, instead was \`undefined\`.`)
  return { start: value['start'], end: value['end'] ?? null, time_zone: value['time_zone'] ?? null }
}

/** A property value as written by a caller, in the shape it is read back. */
const property = (name: string, id: string, type: string, given: unknown): Json => {
  const at = `body.properties.${name}`
  // `{ title: […] }` and the bare array are both accepted.
  const value = isObject(given) && type in given ? given[type] : given
  if (isObject(given) && !(type in given) && type !== 'date') throw invalid(`${name} is expected to be ${type}.`)
  const shown = (read: unknown): Json => ({ id, type, [type]: read })
  if (computed.includes(type)) throw invalid(`${name} is read only and cannot be set.`)
  if (texts.includes(type)) {
    if (value !== null && typeof value !== 'string')
      throw invalid(`body failed validation: ${at}.${type} should be a string or \`null\`.`)
    return shown(value)
  }
  if (lists.includes(type)) {
    if (!Array.isArray(value)) throw invalid(`body failed validation: ${at}.${type} should be an array.`)
    return shown(value)
  }
  switch (type) {
    case 'title':
    case 'rich_text':
      return shown(readRichText(`${at}.${type}`, value))
    case 'select':
    case 'status':
      return shown(value === null ? null : option(`${at}.${type}`, value))
    case 'multi_select':
      if (!Array.isArray(value)) throw invalid(`body failed validation: ${at}.multi_select should be an array.`)
      return shown(value.map((each, index) => option(`${at}.multi_select[${index}]`, each)))
    case 'checkbox':
      if (typeof value !== 'boolean') throw invalid(`body failed validation: ${at}.checkbox should be a boolean.`)
      return shown(value)
    case 'number':
      if (value !== null && typeof value !== 'number')
        throw invalid(`body failed validation: ${at}.number should be a number or \`null\`.`)
      return shown(value)
    default:
      return shown(value === null ? null : date(at, value))
  }
}

/** Values checked against the schema of where the page lives: a database's, or the title alone. */
export const properties = (schema: Readonly<Record<string, Json>>, given: unknown): Record<string, Json> => {
  if (!isObject(given))
    throw invalid('body failed validation: body.properties should be defined, instead was `undefined`.')
  const values: Record<string, Json> = {}
  for (const [key, value] of Object.entries(given)) {
    const [name, column] = Object.entries(schema).find(([name, column]) => name === key || column['id'] === key) ?? []
    if (name === undefined || column === undefined) throw invalid(`${key} is not a property that exists.`)
    values[name] = property(name, String(column['id']), String(column['type']), value)
  }
  return values
}

export const titleOnly = { title: { id: 'title', name: 'title', type: 'title', title: {} } }

export const columns: Readonly<Record<string, Json>> = {
  Name: { id: 'title', name: 'Name', type: 'title', title: {} },
  Status: {
    id: 'aB%3Cd',
    name: 'Status',
    type: 'select',
    select: {
      options: ['To do', 'Doing', 'Done'].map(name => ({ id: uuid('option', name), name, color: 'default' })),
    },
  },
  Due: { id: 'K%3De1', name: 'Due', type: 'date', date: {} },
  Points: { id: 'p%40Qz', name: 'Points', type: 'number', number: { format: 'number' } },
  Urgent: { id: 'uR%7Cx', name: 'Urgent', type: 'checkbox', checkbox: {} },
}

/** An unset value of each column, which Notion shows too. */
export const unset = (schema: Readonly<Record<string, Json>>): Record<string, Json> =>
  Object.fromEntries(
    Object.entries(schema).map(([name, column]) => {
      const type = String(column['type'])
      const empty = ['title', 'rich_text', 'multi_select', ...lists].includes(type)
        ? []
        : type === 'checkbox'
          ? false
          : null
      return [name, { id: column['id'], type, [type]: empty }]
    }),
  )

/** A column as a caller describes it. Its id is four characters, percent-encoded as Notion shows them. */
const column = (name: string, given: unknown): Json => {
  const type = isObject(given) ? types.find(each => each in given) : undefined
  if (!isObject(given) || type === undefined)
    throw invalid(
      `body failed validation: body.properties.${name} should have one of ${types.map(each => `\`"${each}"\``).join(', ')}.`,
    )
  const config = isObject(given[type]) ? given[type] : {}
  const options = Array.isArray(config['options'])
    ? {
        options: config['options'].map((each, index) => ({
          ...option(`body.properties.${name}.${type}.options[${index}]`, each),
          ...each,
        })),
      }
    : {}
  const id = type === 'title' ? 'title' : encodeURIComponent(`:${uuid('column', name).slice(0, 3)}`)
  return { id, name, type, [type]: { ...config, ...options } }
}

/** The columns of a new database, exactly one of which is a title. https://developers.notion.com/reference/create-a-database */
export const newColumns = (given: unknown): Record<string, Json> => {
  if (!isObject(given))
    throw invalid('body failed validation: body.properties should be defined, instead was `undefined`.')
  const made = Object.fromEntries(Object.entries(given).map(([name, each]) => [name, column(name, each)]))
  if (Object.values(made).filter(each => each['type'] === 'title').length !== 1)
    throw invalid('Title is not provided, or there is more than one property of type title.')
  return made
}

/** Columns added, changed, renamed (`name`) and removed (null). https://developers.notion.com/reference/update-property-schema-object */
export const changedColumns = (schema: Readonly<Record<string, Json>>, given: unknown): Record<string, Json> => {
  if (!isObject(given)) throw invalid('body failed validation: body.properties should be an object.')
  const changed: Record<string, Json> = { ...schema }
  for (const [key, change] of Object.entries(given)) {
    const [name, known] = Object.entries(schema).find(([name, each]) => name === key || each['id'] === key) ?? [key]
    if (change === null) {
      if (known?.['type'] === 'title') throw invalid('Cannot delete the title property of a database.')
      delete changed[name]
      continue
    }
    const renamed = isObject(change) && typeof change['name'] === 'string' ? change['name'] : name
    const typed = isObject(change) && types.some(each => each in change)
    if (!known && !typed) throw invalid(`${key} is not a property that exists.`)
    if (renamed !== name) delete changed[name]
    changed[renamed] = {
      ...known,
      ...(typed ? column(renamed, change) : {}),
      ...(known ? { id: known['id'] } : {}),
      name: renamed,
    }
  }
  return changed
}
