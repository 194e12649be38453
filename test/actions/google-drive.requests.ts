/**
 * https://developers.google.com/workspace/drive/api/reference/rest/v3, the HTTP request of each page, with the values of
 * the guides: https://developers.google.com/workspace/drive/api/guides/search-files, …/folder, …/shortcuts,
 * …/manage-sharing, …/manage-comments, …/manage-changes.
 */
import type { Reference } from './reference.ts'

const at = 'https://www.googleapis.com/drive/v3'
const file = '1sTWaJ_j7PkjzaBWtNc3IzovK5hQf21FbOw9yLeeLPNQ'
const drive = '0AEmyLLQKxqsaUk9PVA'

export const googleDrive: Reference = {
  headers: { accept: 'application/json', authorization: 'Bearer {token}', 'user-agent': 'Mortise' },
  requests: [
    {
      action: 'about-get',
      query: { fields: 'user,storageQuota' },
      request: `GET ${at}/about?fields=user%2CstorageQuota`,
    },
    {
      action: 'files-list',
      query: {
        q: "mimeType = 'application/vnd.google-apps.folder' and 'root' in parents",
        orderBy: 'folder,modifiedTime desc,name',
        pageSize: 100,
        corpora: 'drive',
        driveId: drive,
        includeItemsFromAllDrives: true,
        supportsAllDrives: true,
        fields: 'nextPageToken, files(id, name)',
      },
      request: `GET ${at}/files?q=mimeType+%3D+%27application%2Fvnd.google-apps.folder%27+and+%27root%27+in+parents&orderBy=folder%2CmodifiedTime+desc%2Cname&pageSize=100&corpora=drive&driveId=${drive}&includeItemsFromAllDrives=true&supportsAllDrives=true&fields=nextPageToken%2C+files%28id%2C+name%29`,
    },
    {
      action: 'files-get',
      path: { fileId: file },
      query: { fields: '*' },
      request: `GET ${at}/files/${file}?fields=*`,
    },
    {
      action: 'files-create',
      query: { fields: 'id' },
      body: { name: 'Invoices', mimeType: 'application/vnd.google-apps.folder', parents: ['root'] },
      request: `POST ${at}/files?fields=id`,
    },
    {
      action: 'files-update',
      path: { fileId: file },
      query: { addParents: '1vTWaJ', removeParents: '0ABc', fields: 'id, parents' },
      body: { name: 'Invoices of 2026', appProperties: { additionalID: '42', old: null } },
      request: `PATCH ${at}/files/${file}?addParents=1vTWaJ&removeParents=0ABc&fields=id%2C+parents`,
    },
    {
      action: 'files-copy',
      path: { fileId: file },
      body: { name: 'Copy', parents: ['1vTWaJ'] },
      request: `POST ${at}/files/${file}/copy`,
    },
    {
      action: 'files-delete',
      path: { fileId: file },
      query: { supportsAllDrives: true },
      request: `DELETE ${at}/files/${file}?supportsAllDrives=true`,
    },
    {
      action: 'files-export',
      path: { fileId: file },
      query: { mimeType: 'text/csv' },
      request: `GET ${at}/files/${file}/export?mimeType=text%2Fcsv`,
      headers: { accept: '*/*' },
    },
    {
      action: 'files-generateIds',
      query: { count: 5, space: 'drive', type: 'files' },
      request: `GET ${at}/files/generateIds?count=5&space=drive&type=files`,
    },
    { action: 'files-emptyTrash', query: { driveId: drive }, request: `DELETE ${at}/files/trash?driveId=${drive}` },
    {
      action: 'permissions-list',
      path: { fileId: file },
      query: { pageSize: 10, fields: 'permissions(id,role)' },
      request: `GET ${at}/files/${file}/permissions?pageSize=10&fields=permissions%28id%2Crole%29`,
    },
    {
      action: 'permissions-get',
      path: { fileId: file, permissionId: 'anyoneWithLink' },
      request: `GET ${at}/files/${file}/permissions/anyoneWithLink`,
    },
    {
      action: 'permissions-create',
      path: { fileId: file },
      query: { sendNotificationEmail: true, emailMessage: 'Please read' },
      body: { type: 'user', role: 'commenter', emailAddress: 'alex@altostrat.com' },
      request: `POST ${at}/files/${file}/permissions?sendNotificationEmail=true&emailMessage=Please+read`,
    },
    {
      action: 'permissions-update',
      path: { fileId: file, permissionId: '08426531790246813579' },
      body: { role: 'commenter' },
      request: `PATCH ${at}/files/${file}/permissions/08426531790246813579`,
    },
    {
      action: 'permissions-delete',
      path: { fileId: file, permissionId: '08426531790246813579' },
      request: `DELETE ${at}/files/${file}/permissions/08426531790246813579`,
    },
    {
      action: 'comments-list',
      path: { fileId: file },
      query: { fields: 'comments(id,content)', pageSize: 20, startModifiedTime: '2025-01-31T09:30:00-08:00' },
      request: `GET ${at}/files/${file}/comments?fields=comments%28id%2Ccontent%29&pageSize=20&startModifiedTime=2025-01-31T09%3A30%3A00-08%3A00`,
    },
    {
      action: 'comments-create',
      path: { fileId: file },
      query: { fields: 'id,comment' },
      body: { content: 'This is a comment on the file.' },
      request: `POST ${at}/files/${file}/comments?fields=id%2Ccomment`,
    },
    {
      action: 'replies-create',
      path: { fileId: file, commentId: 'AAAAbcd' },
      query: { fields: 'id,reply' },
      body: { content: 'This is a reply to a comment.', action: 'resolve' },
      request: `POST ${at}/files/${file}/comments/AAAAbcd/replies?fields=id%2Creply`,
    },
    {
      action: 'drives-list',
      query: { q: "name contains 'plans'" },
      request: `GET ${at}/drives?q=name+contains+%27plans%27`,
    },
    { action: 'drives-get', path: { driveId: drive }, request: `GET ${at}/drives/${drive}` },
    {
      action: 'changes-getStartPageToken',
      query: { driveId: drive, supportsAllDrives: true },
      request: `GET ${at}/changes/startPageToken?driveId=${drive}&supportsAllDrives=true`,
    },
    {
      action: 'changes-list',
      query: { pageToken: 5345, includeRemoved: false, spaces: 'drive' },
      request: `GET ${at}/changes?pageToken=5345&includeRemoved=false&spaces=drive`,
    },
    {
      action: 'revisions-list',
      path: { fileId: file },
      query: { pageSize: 200 },
      request: `GET ${at}/files/${file}/revisions?pageSize=200`,
    },
  ],
  mistakes: [
    { action: 'files-get', field: 'pathParams.fileId', says: /is missing/ },
    { action: 'files-get', path: { fileId: 'a/b' }, field: 'pathParams.fileId', says: /right form/ },
    { action: 'files-get', path: { fileId: '..' }, field: 'pathParams.fileId', says: /right form/ },
    { action: 'files-get', path: { file_id: file }, field: 'pathParams.file_id', says: /mean fileId/ },
    { action: 'about-get', field: 'queryParameters.fields', says: /is missing/ },
    { action: 'files-list', query: { pageSize: 1001 }, field: 'queryParameters.pageSize', says: /at most 1000/ },
    { action: 'files-list', query: { orderBy: 'modified' }, field: 'queryParameters.orderBy', says: /right form/ },
    { action: 'files-list', query: { corpora: 'team' }, field: 'queryParameters.corpora', says: /"user", "domain"/ },
    {
      action: 'files-export',
      path: { fileId: file },
      query: { mimeType: 'application/pdf' },
      field: 'queryParameters.mimeType',
      says: /"text\/plain"/,
    },
    { action: 'files-create', body: { title: 'Invoices' }, field: 'requestBody.title', says: /not a known field/ },
    { action: 'files-create', body: { parents: ['a', 'b'] }, field: 'requestBody.parents', says: /at most 1 elements/ },
    {
      action: 'files-create',
      body: { folderColorRgb: 'red' },
      field: 'requestBody.folderColorRgb',
      says: /right form/,
    },
    {
      action: 'files-update',
      path: { fileId: file },
      body: { parents: ['a'] },
      field: 'requestBody.parents',
      says: /not a known field/,
    },
    {
      action: 'permissions-create',
      path: { fileId: file },
      body: { type: 'user', emailAddress: 'alex@altostrat.com' },
      field: 'requestBody.role',
      says: /is missing/,
    },
    {
      action: 'permissions-create',
      path: { fileId: file },
      body: { type: 'user', role: 'editor' },
      field: 'requestBody.role',
      says: /"writer"/,
    },
    {
      action: 'permissions-create',
      path: { fileId: file },
      body: { type: 'user', role: 'writer', emailAddress: 'alex' },
      field: 'requestBody.emailAddress',
      says: /\(email\)/,
    },
    {
      action: 'files-delete',
      path: { fileId: file },
      body: { a: 1 },
      field: 'requestBody',
      says: /takes no requestBody/,
    },
  ],
}
