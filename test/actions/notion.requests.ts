/** https://developers.notion.com/reference at version 2022-06-28, the examples of each page. */
import type { Reference } from './reference.ts'

const page = '59833787-2cf9-4fdf-8782-e53db20768a5'
const database = 'd9824bdc-8445-4327-be8b-5b47500af6ce'
const block = 'c02fc1d3-db8b-45c5-a222-27595b15aea7'
const user = 'd40e767c-d7af-4b18-a86d-55c61f1e39a4'
const upload = 'b52b8ed6-e029-4707-a671-832549c09de3'
const at = 'https://api.notion.com/v1'
const text = (content: string) => [{ text: { content } }]
const lacinato = [
  { type: 'text', text: { content: 'Lacinato kale', link: { url: 'https://en.wikipedia.org/wiki/Kale' } } },
]

export const notion: Reference = {
  // https://developers.notion.com/reference/authentication
  headers: {
    accept: 'application/json',
    authorization: 'Bearer {token}',
    'notion-version': '2022-06-28',
    'user-agent': 'Mortise',
  },
  requests: [
    {
      action: 'post-search',
      body: {
        query: 'External tasks',
        filter: { value: 'database', property: 'object' },
        sort: { direction: 'ascending', timestamp: 'last_edited_time' },
      },
      request: `POST ${at}/search`,
    },
    {
      action: 'post-page',
      body: {
        cover: {
          type: 'external',
          external: { url: 'https://upload.wikimedia.org/wikipedia/commons/6/62/Tuscankale.jpg' },
        },
        icon: { type: 'emoji', emoji: '🥬' },
        parent: { type: 'database_id', database_id: database },
        properties: {
          Name: { title: text('Tuscan kale') },
          Description: { rich_text: text('A dark green leafy vegetable') },
          'Food group': { select: { name: '🥬 Vegetable' } },
          Price: { number: 2.5 },
        },
        children: [
          { object: 'block', heading_2: { rich_text: text('Lacinato kale') } },
          { object: 'block', paragraph: { rich_text: lacinato, color: 'default' } },
        ],
      },
      request: `POST ${at}/pages`,
    },
    {
      action: 'retrieve-a-page',
      path: { page_id: page },
      query: { filter_properties: ['iAk8', 'b7dh'] },
      request: `GET ${at}/pages/${page}?filter_properties=iAk8&filter_properties=b7dh`,
    },
    {
      action: 'patch-page',
      path: { page_id: page },
      body: { properties: { 'In stock': { checkbox: true } } },
      request: `PATCH ${at}/pages/${page}`,
    },
    {
      // An id goes as the page shows it, with its one encoding.
      action: 'retrieve-a-page-property',
      path: { page_id: page, property_id: '%3AUPp' },
      query: { page_size: 25 },
      request: `GET ${at}/pages/${page}/properties/%3AUPp?page_size=25`,
    },
    {
      action: 'create-a-database',
      body: {
        parent: { type: 'page_id', page_id: page },
        icon: { type: 'emoji', emoji: '📝' },
        cover: { type: 'external', external: { url: 'https://website.domain/images/image.png' } },
        title: [{ type: 'text', text: { content: 'Grocery List', link: null } }],
        properties: {
          Name: { title: {} },
          Description: { rich_text: {} },
          'In stock': { checkbox: {} },
          'Food group': { select: { options: [{ name: '🥦Vegetable', color: 'green' }] } },
          Price: { number: { format: 'dollar' } },
        },
      },
      request: `POST ${at}/databases`,
    },
    { action: 'retrieve-a-database', path: { database_id: database }, request: `GET ${at}/databases/${database}` },
    {
      action: 'update-a-database',
      path: { database_id: database },
      body: {
        title: text("Today's grocery list"),
        description: text('Grocery list for just kale 🥬'),
        properties: {
          '+1': null,
          Photo: { url: {} },
          'Store availability': { multi_select: { options: [{ name: 'Safeway' }] } },
        },
      },
      request: `PATCH ${at}/databases/${database}`,
    },
    {
      action: 'post-database-query',
      path: { database_id: database },
      query: { filter_properties: ['title', '%3AUPp'] },
      body: {
        filter: {
          or: [
            { property: 'In stock', checkbox: { equals: true } },
            { property: 'Cost of next trip', number: { greater_than_or_equal_to: 2 } },
          ],
        },
        sorts: [{ property: 'Last ordered', direction: 'ascending' }],
      },
      request: `POST ${at}/databases/${database}/query?filter_properties=title&filter_properties=%3AUPp`,
    },
    { action: 'retrieve-a-block', path: { block_id: block }, request: `GET ${at}/blocks/${block}` },
    {
      action: 'update-a-block',
      path: { block_id: block },
      body: { to_do: { rich_text: [{ type: 'text', text: { content: 'Lacinato kale' } }], checked: false } },
      request: `PATCH ${at}/blocks/${block}`,
    },
    { action: 'delete-a-block', path: { block_id: block }, request: `DELETE ${at}/blocks/${block}` },
    {
      action: 'get-block-children',
      path: { block_id: page.replaceAll('-', '') },
      query: { page_size: 100 },
      request: `GET ${at}/blocks/598337872cf94fdf8782e53db20768a5/children?page_size=100`,
    },
    {
      action: 'patch-block-children',
      path: { block_id: block },
      body: {
        children: [
          {
            object: 'block',
            type: 'heading_2',
            heading_2: { rich_text: [{ type: 'text', text: { content: 'Lacinato kale' } }] },
          },
          { object: 'block', type: 'paragraph', paragraph: { rich_text: lacinato } },
        ],
      },
      request: `PATCH ${at}/blocks/${block}/children`,
    },
    {
      action: 'get-users',
      query: { start_cursor: '92a9c4b3', page_size: 50 },
      request: `GET ${at}/users?start_cursor=92a9c4b3&page_size=50`,
    },
    { action: 'get-user', path: { user_id: user }, request: `GET ${at}/users/${user}` },
    { action: 'get-self', request: `GET ${at}/users/me` },
    {
      action: 'create-a-comment',
      body: { parent: { page_id: page }, rich_text: text('Hello world') },
      request: `POST ${at}/comments`,
    },
    { action: 'retrieve-a-comment', query: { block_id: page }, request: `GET ${at}/comments?block_id=${page}` },
    { action: 'retrieve-comment', path: { comment_id: block }, request: `GET ${at}/comments/${block}` },
    {
      action: 'create-a-file-upload',
      body: { mode: 'multi_part', number_of_parts: 2, filename: 'image.png', content_type: 'image/png' },
      request: `POST ${at}/file_uploads`,
    },
    { action: 'list-file-uploads', query: { status: 'uploaded' }, request: `GET ${at}/file_uploads?status=uploaded` },
    { action: 'retrieve-a-file-upload', path: { file_upload_id: upload }, request: `GET ${at}/file_uploads/${upload}` },
    {
      action: 'complete-a-file-upload',
      path: { file_upload_id: upload },
      request: `POST ${at}/file_uploads/${upload}/complete`,
    },
  ],
  mistakes: [
    { action: 'retrieve-a-page', field: 'pathParams.page_id', says: /is missing/ },
    { action: 'retrieve-a-page', path: { page_id: 'home' }, field: 'pathParams.page_id', says: /right form/ },
    {
      action: 'retrieve-a-page',
      path: { page_id: `${page}/children` },
      field: 'pathParams.page_id',
      says: /right form/,
    },
    { action: 'retrieve-a-comment', field: 'queryParameters.block_id', says: /is missing/ },
    { action: 'get-users', query: { page_size: 101 }, field: 'queryParameters.page_size', says: /at most 100/ },
    {
      action: 'list-file-uploads',
      query: { status: 'done' },
      field: 'queryParameters.status',
      says: /"pending", "uploaded"/,
    },
    { action: 'get-users', query: { pagesize: 5 }, field: 'queryParameters.pagesize', says: /mean page_size/ },
    { action: 'post-page', body: { properties: {} }, field: 'requestBody.parent', says: /is missing/ },
    { action: 'post-search', body: { qery: 'x' }, field: 'requestBody.qery', says: /mean query/ },
    {
      action: 'post-search',
      body: { filter: { property: 'object', value: 'block' } },
      field: 'requestBody.filter.value',
      says: /"page", "database"/,
    },
    {
      action: 'patch-block-children',
      path: { block_id: block },
      body: { children: Array.from({ length: 101 }, () => ({ divider: {} })) },
      field: 'requestBody.children',
      says: /at most 100 elements/,
    },
    { action: 'get-self', body: { a: 1 }, field: 'requestBody', says: /takes no requestBody/ },
  ],
}
