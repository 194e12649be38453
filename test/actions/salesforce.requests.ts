/**
 * https://developer.salesforce.com/docs/platform/api-rest/guide, the examples of each page, with the sandbox's org in the
 * place of MyDomainName and no slash at a path's end.
 */
import type { Reference } from './reference.ts'

const org = 'https://acme.my.salesforce.com'
const at = `${org}/services/data/v67.0`
const account = { sobject: 'Account', recordId: '001D000000INjVe' }
const external = { sobject: 'Customer__c', fieldName: 'Customer_Ext_ID__c', fieldValue: 'a/b 11999' }

export const salesforce: Reference = {
  headers: { accept: 'application/json', authorization: 'Bearer {token}', 'user-agent': 'Mortise' },
  requests: [
    { action: 'get-user-info', request: `GET ${org}/services/oauth2/userinfo` },
    {
      action: 'query',
      query: { q: "SELECT name,id from Account where Name like 'A%'" },
      request: `GET ${at}/query?q=SELECT+name%2Cid+from+Account+where+Name+like+%27A%25%27`,
    },
    {
      action: 'query-more',
      path: { queryLocator: '01gD0000002HU6KIAW-2000' },
      request: `GET ${at}/query/01gD0000002HU6KIAW-2000`,
    },
    {
      action: 'query-all',
      query: { q: 'SELECT Name FROM Merchandise__c WHERE isDeleted = TRUE' },
      request: `GET ${at}/queryAll?q=SELECT+Name+FROM+Merchandise__c+WHERE+isDeleted+%3D+TRUE`,
    },
    { action: 'search', query: { q: 'FIND {Acme}' }, request: `GET ${at}/search?q=FIND+%7BAcme%7D` },
    {
      action: 'parameterized-search',
      body: {
        q: 'Smith',
        fields: ['id', 'firstName', 'lastName'],
        sobjects: [{ name: 'Contact', fields: ['id', 'firstName', 'lastName'], limit: 10 }],
        in: 'ALL',
        overallLimit: 15,
        defaultLimit: 10,
      },
      request: `POST ${at}/parameterizedSearch`,
    },
    { action: 'list-objects', request: `GET ${at}/sobjects` },
    { action: 'get-object', path: { sobject: 'Account' }, request: `GET ${at}/sobjects/Account` },
    { action: 'describe-object', path: { sobject: 'Account' }, request: `GET ${at}/sobjects/Account/describe` },
    {
      action: 'create-record',
      path: { sobject: 'Account' },
      body: { Name: 'Express Logistics and Transport' },
      request: `POST ${at}/sobjects/Account`,
    },
    {
      action: 'get-record',
      path: { sobject: 'Account', recordId: '001R0000005hDFYIA2' },
      query: { fields: 'AccountNumber,BillingPostalCode' },
      request: `GET ${at}/sobjects/Account/001R0000005hDFYIA2?fields=AccountNumber%2CBillingPostalCode`,
    },
    {
      action: 'update-record',
      path: account,
      body: { BillingCity: 'San Francisco' },
      request: `PATCH ${at}/sobjects/Account/001D000000INjVe`,
    },
    { action: 'delete-record', path: account, request: `DELETE ${at}/sobjects/Account/001D000000INjVe` },
    {
      action: 'get-record-by-external-id',
      path: { ...external, fieldValue: 123 },
      request: `GET ${at}/sobjects/Customer__c/Customer_Ext_ID__c/123`,
    },
    {
      action: 'upsert-record',
      path: external,
      body: { Name: 'California Wheat Corporation', Type__c: 'New Customer' },
      request: `PATCH ${at}/sobjects/Customer__c/Customer_Ext_ID__c/a%2Fb%2011999`,
    },
    {
      action: 'list-updated-records',
      path: { sobject: 'MerchandiseItem__c' },
      query: { start: '2013-05-06T00:00:00+00:00', end: '2013-05-10T00:00:00+00:00' },
      request: `GET ${at}/sobjects/MerchandiseItem__c/updated?start=2013-05-06T00%3A00%3A00%2B00%3A00&end=2013-05-10T00%3A00%3A00%2B00%3A00`,
    },
    {
      action: 'list-deleted-records',
      path: { sobject: 'MerchandiseItem__c' },
      query: { start: '2013-05-05T00:00:00Z', end: '2013-05-10T00:00:00Z' },
      request: `GET ${at}/sobjects/MerchandiseItem__c/deleted?start=2013-05-05T00%3A00%3A00Z&end=2013-05-10T00%3A00%3A00Z`,
    },
    {
      action: 'create-records',
      body: {
        allOrNone: false,
        records: [
          { attributes: { type: 'Account' }, Name: 'example.com', BillingCity: 'San Francisco' },
          { attributes: { type: 'Contact' }, LastName: 'Johnson', FirstName: 'Erica' },
        ],
      },
      request: `POST ${at}/composite/sobjects`,
    },
    {
      action: 'update-records',
      body: {
        allOrNone: false,
        records: [
          { attributes: { type: 'Account' }, id: '001xx000003DGb2AAG', NumberOfEmployees: 27000 },
          { attributes: { type: 'Contact' }, id: '003xx000004TmiQAAS', Title: 'Lead Engineer' },
        ],
      },
      request: `PATCH ${at}/composite/sobjects`,
    },
    {
      action: 'delete-records',
      query: { ids: '001xx000003DGb2AAG,003xx000004TmiQAAS', allOrNone: false },
      request: `DELETE ${at}/composite/sobjects?ids=001xx000003DGb2AAG%2C003xx000004TmiQAAS&allOrNone=false`,
    },
    {
      action: 'composite',
      body: {
        compositeRequest: [
          {
            method: 'POST',
            url: '/services/data/v67.0/sobjects/Account',
            referenceId: 'refAccount',
            body: { Name: 'Sample Account' },
          },
          {
            method: 'POST',
            url: '/services/data/v67.0/sobjects/Contact',
            referenceId: 'refContact',
            body: { LastName: 'Sample Contact', AccountId: '@{refAccount.id}' },
          },
        ],
      },
      request: `POST ${at}/composite`,
    },
    { action: 'list-recent-items', query: { limit: 2 }, request: `GET ${at}/recent?limit=2` },
    { action: 'get-limits', request: `GET ${at}/limits` },
    {
      action: 'create-account',
      body: { Name: 'Sample Account', Region__c: 'West' },
      request: `POST ${at}/sobjects/Account`,
    },
    {
      action: 'update-account',
      path: { recordId: '001D000000INjVe' },
      body: { BillingCity: 'San Francisco', Website: null },
      request: `PATCH ${at}/sobjects/Account/001D000000INjVe`,
    },
    {
      action: 'create-contact',
      body: { LastName: 'Sample Contact', AccountId: '001D000000INjVe' },
      request: `POST ${at}/sobjects/Contact`,
    },
    {
      action: 'update-contact',
      path: { recordId: '003xx000004TmiQAAS' },
      body: { Title: 'Lead Engineer' },
      request: `PATCH ${at}/sobjects/Contact/003xx000004TmiQAAS`,
    },
    {
      action: 'create-lead',
      body: { LastName: 'Johnson', Company: 'example.com' },
      request: `POST ${at}/sobjects/Lead`,
    },
    {
      action: 'create-opportunity',
      body: { Name: 'Sample', StageName: 'Prospecting', CloseDate: '2026-01-31', Amount: 1500 },
      request: `POST ${at}/sobjects/Opportunity`,
    },
  ],
  mistakes: [
    { action: 'get-record', path: { sobject: 'Account' }, field: 'pathParams.recordId', says: /is missing/ },
    {
      action: 'get-record',
      path: { ...account, recordId: '001' },
      field: 'pathParams.recordId',
      says: /right form/,
    },
    {
      action: 'describe-object',
      path: { sobject: 'Account/001D000000INjVe' },
      field: 'pathParams.sobject',
      says: /right form/,
    },
    { action: 'delete-record', path: { ...account, id: 'x' }, field: 'pathParams.id', says: /not a parameter/ },
    {
      action: 'upsert-record',
      path: { ...external, fieldValue: '..' },
      body: { Name: 'x' },
      field: 'pathParams.fieldValue',
      says: /must name one thing/,
    },
    { action: 'query', field: 'queryParameters.q', says: /is missing/ },
    { action: 'query', query: { q: 'DELETE FROM Account' }, field: 'queryParameters.q', says: /right form/ },
    {
      action: 'query',
      query: { query: 'SELECT Id FROM Account' },
      field: 'queryParameters.query',
      says: /not a parameter/,
    },
    { action: 'list-recent-items', query: { limit: 2001 }, field: 'queryParameters.limit', says: /at most 2000/ },
    {
      action: 'list-updated-records',
      path: { sobject: 'Account' },
      query: { start: '2013-05-06', end: '2013-05-10T00:00:00Z' },
      field: 'queryParameters.start',
      says: /right form/,
    },
    { action: 'create-record', path: { sobject: 'Account' }, field: 'requestBody', says: /may not be empty/ },
    { action: 'create-contact', body: { FirstName: 'Erica' }, field: 'requestBody.LastName', says: /is missing/ },
    {
      action: 'create-opportunity',
      body: { Name: 'x', StageName: 'y', CloseDate: '31.1.2026' },
      field: 'requestBody.CloseDate',
      says: /\(date\)/,
    },
    {
      action: 'create-records',
      body: { records: [{ Name: 'x' }] },
      field: 'requestBody.records.0.attributes',
      says: /is missing/,
    },
    {
      action: 'create-records',
      body: { records: Array.from({ length: 201 }, () => ({ attributes: { type: 'Account' }, Name: 'x' })) },
      field: 'requestBody.records',
      says: /at most 200 elements/,
    },
    {
      action: 'composite',
      body: { compositeRequest: [{ method: 'GET', url: 'https://elsewhere.example/', referenceId: 'a' }] },
      field: 'requestBody.compositeRequest.0.url',
      says: /right form/,
    },
    { action: 'get-limits', body: { a: 1 }, field: 'requestBody', says: /takes no requestBody/ },
  ],
}
