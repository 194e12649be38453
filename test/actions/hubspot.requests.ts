/**
 * https://developers.hubspot.com/docs/api-reference/2026-03/crm: the guides' examples, and the requests beside each call.
 */
import type { Json } from '../../src/core/credential.ts'
import type { Reference } from './reference.ts'

const at = 'https://api.hubapi.com/crm'

/** Alike for each type of object: https://developers.hubspot.com/docs/api-reference/2026-03/crm/understanding-the-crm */
const ofObjects = (
  one: string,
  many: string,
  path: string,
  id: string,
  made: Json,
  changed: Json,
): Reference['requests'] => [
  {
    action: `list${many}`,
    query: {
      limit: 100,
      after: '51',
      properties: ['hs_object_id', 'createdate'],
      associations: 'notes',
      archived: false,
    },
    request: `GET ${at}/objects/2026-03/${path}?limit=100&after=51&properties=hs_object_id&properties=createdate&associations=notes&archived=false`,
  },
  {
    action: `get${one}`,
    path: { [id]: '162094' },
    query: { propertiesWithHistory: 'hubspot_owner_id' },
    request: `GET ${at}/objects/2026-03/${path}/162094?propertiesWithHistory=hubspot_owner_id`,
  },
  { action: `create${one}`, body: made, request: `POST ${at}/objects/2026-03/${path}` },
  {
    action: `update${one}`,
    path: { [id]: 162094 },
    body: changed,
    request: `PATCH ${at}/objects/2026-03/${path}/162094`,
  },
  { action: `delete${one}`, path: { [id]: '162094' }, request: `DELETE ${at}/objects/2026-03/${path}/162094` },
  {
    action: `search${many}`,
    body: {
      filterGroups: [
        { filters: [{ propertyName: 'hubspot_owner_id', operator: 'EQ', value: '41629779' }] },
        {
          filters: [
            { propertyName: 'createdate', operator: 'BETWEEN', value: '1579514400000', highValue: '1642672800000' },
          ],
        },
      ],
      sorts: [{ propertyName: 'createdate', direction: 'DESCENDING' }],
      properties: ['hs_object_id'],
      limit: 20,
      after: '20',
    },
    request: `POST ${at}/objects/2026-03/${path}/search`,
  },
]

const toCompany = [{ to: { id: 9001 }, types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279 }] }]

export const hubspot: Reference = {
  headers: { accept: 'application/json', authorization: 'Bearer {token}', 'user-agent': 'Mortise' },
  requests: [
    ...ofObjects(
      'Contact',
      'Contacts',
      'contacts',
      'contactId',
      { properties: { firstname: 'Jane', lastname: 'Smith', email: 'jsmith@example.com' }, associations: toCompany },
      { properties: { favorite_food: 'burger', jobtitle: 'Manager', lifecyclestage: '' } },
    ),
    ...ofObjects(
      'Company',
      'Companies',
      'companies',
      'companyId',
      { properties: { name: 'HubSpot', domain: 'hubspot.com', city: 'Cambridge', numberofemployees: 8000 } },
      { properties: { name: 'HubSpot, Inc.' } },
    ),
    ...ofObjects(
      'Deal',
      'Deals',
      'deals',
      'dealId',
      {
        properties: {
          amount: '1500.00',
          closedate: '2019-12-07T16:50:06.678Z',
          dealname: 'New deal',
          pipeline: 'default',
          dealstage: 'contractsent',
        },
      },
      { properties: { amount: '1600.00' } },
    ),
    ...ofObjects(
      'Ticket',
      'Tickets',
      'tickets',
      'ticketId',
      {
        properties: {
          hs_pipeline: '0',
          hs_pipeline_stage: '1',
          hs_ticket_priority: 'HIGH',
          subject: 'troubleshoot report',
        },
      },
      { properties: { hs_ticket_priority: 'LOW' } },
    ),
    {
      action: 'listAssociations',
      path: { objectType: 'contacts', objectId: '12345', toObjectType: 'companies' },
      query: { limit: 500 },
      request: `GET ${at}/objects/2026-03/contacts/12345/associations/companies?limit=500`,
    },
    {
      action: 'createDefaultAssociation',
      path: { fromObjectType: 'contact', fromObjectId: 12345, toObjectType: '0-2', toObjectId: '67891' },
      request: `PUT ${at}/objects/2026-03/contact/12345/associations/default/0-2/67891`,
    },
    {
      action: 'listOwners',
      query: { email: 'email@hubspot.com', limit: 100 },
      request: `GET ${at}/owners/2026-03?email=email%40hubspot.com&limit=100`,
    },
    {
      action: 'listProperties',
      path: { objectType: 'contacts' },
      query: { archived: true },
      request: `GET ${at}/properties/2026-03/contacts?archived=true`,
    },
    { action: 'listPipelines', path: { objectType: 'deals' }, request: `GET ${at}/pipelines/2026-03/deals` },
  ],
  mistakes: [
    { action: 'getContact', field: 'pathParams.contactId', says: /is missing/ },
    { action: 'getDeal', path: { dealID: '1' }, field: 'pathParams.dealID', says: /mean dealId/ },
    { action: 'listPipelines', path: { objectType: 'deals/x' }, field: 'pathParams.objectType', says: /right form/ },
    {
      action: 'listAssociations',
      path: { objectType: 'contacts', objectId: 'jane', toObjectType: 'companies' },
      field: 'pathParams.objectId',
      says: /right form/,
    },
    { action: 'listContacts', query: { limit: 101 }, field: 'queryParameters.limit', says: /at most 100/ },
    { action: 'listContacts', query: { archived: 'maybe' }, field: 'queryParameters.archived', says: /true or false/ },
    { action: 'listDeals', query: { property: 'amount' }, field: 'queryParameters.property', says: /not a parameter/ },
    {
      action: 'createContact',
      body: { email: 'jsmith@example.com' },
      field: 'requestBody.properties',
      says: /is missing/,
    },
    {
      action: 'createContact',
      query: { properties: 'x' },
      field: 'queryParameters.properties',
      says: /belongs in requestBody/,
    },
    {
      action: 'createDeal',
      body: { properties: { amount: { value: 1 } } },
      field: 'requestBody.properties.amount',
      says: /none of the forms/,
    },
    {
      action: 'createContact',
      body: {
        properties: {},
        associations: [{ to: { id: '1' }, types: [{ associationCategory: 'HUBSPOT', associationTypeId: 1 }] }],
      },
      field: 'requestBody.associations.0.types.0.associationCategory',
      says: /"HUBSPOT_DEFINED"/,
    },
    {
      action: 'updateTicket',
      path: { ticketId: '1' },
      body: { subject: 'x', properties: {} },
      field: 'requestBody.subject',
      says: /not a known field/,
    },
    {
      action: 'searchContacts',
      body: { filterGroups: [{ filters: [{ propertyName: 'email', operator: 'CONTAINS', value: 'x' }] }] },
      field: 'requestBody.filterGroups.0.filters.0.operator',
      says: /"CONTAINS_TOKEN"/,
    },
    { action: 'searchContacts', body: { limit: 201 }, field: 'requestBody.limit', says: /at most 200/ },
    {
      action: 'deleteContact',
      path: { contactId: '1' },
      body: { a: 1 },
      field: 'requestBody',
      says: /takes no requestBody/,
    },
  ],
}
