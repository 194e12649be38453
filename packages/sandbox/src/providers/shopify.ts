import { createHmac } from 'node:crypto'
import { type Answer, expectation, type Issue } from '../expectation.ts'

const offline = (issue: Issue): Answer => ({
  status: 200,
  body: {
    access_token: issue.accessToken,
    scope: issue.scopes.join(','),
    expires_in: issue.expiresIn,
    refresh_token: issue.refreshToken,
    // 90 days
    refresh_token_expires_in: 7776000,
  },
})

const online = (issue: Issue): Answer => {
  const [first = '', ...last] = issue.account.person.name.split(' ')
  return {
    status: 200,
    body: {
      access_token: issue.accessToken,
      scope: issue.scopes.join(','),
      expires_in: 86399,
      associated_user_scope: issue.scopes.join(','),
      associated_user: {
        id: Number(issue.account.person.id),
        first_name: first,
        last_name: last.join(' '),
        email: issue.account.person.email,
        email_verified: true,
        account_owner: true,
        locale: 'en',
        collaborator: false,
      },
    },
  }
}

export default expectation({
  provider: 'shopify',
  documents: [
    'https://shopify.dev/docs/apps/build/authentication-authorization/authenticate-standalone-apps',
    'https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/authorization-code-grant',
    'https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/offline-access-tokens',
    'https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/online-access-tokens',
    'https://shopify.dev/changelog/more-resilient-refreshes-for-expiring-offline-access-tokens',
    'https://shopify.dev/docs/api/admin-rest/latest/resources/shop',
  ],
  authorize: {
    url: 'https://{shop}.myshopify.com/admin/oauth/authorize',
    query: { 'grant_options[]': { oneOf: ['per-user'], optional: true } },
    responseType: false,
    scopes: { params: ['scope'], separators: [','] },
    pkce: 'ignored',
    back: ({ host, code, state, clientSecret, now }) => {
      const back = {
        host: Buffer.from(`admin.shopify.com/store/${host.split('.')[0]}`)
          .toString('base64')
          .replace(/=+$/, ''),
        shop: host,
        timestamp: String(Math.floor(now.getTime() / 1000)),
      }
      // "Remove the HMAC parameter from the query string" and hash the rest, sorted by name.
      const query = new URLSearchParams({ code, state, ...back })
      query.sort()
      return { ...back, hmac: createHmac('sha256', clientSecret).update(query.toString()).digest('hex') }
    },
  },
  code: {
    url: 'https://{shop}.myshopify.com/admin/oauth/access_token',
    client: 'body',
    body: 'either',
    // This Shopify plays to a public app: one made since April 2026 must ask for expiring tokens.
    params: { expiring: { is: '1' } },
    grantType: false,
    redirectUri: 'ignored',
    answer: issue => (issue.refreshToken === undefined ? online(issue) : offline(issue)),
  },
  refresh: {
    url: 'https://{shop}.myshopify.com/admin/oauth/access_token',
    client: 'body',
    body: 'either',
    redirectUri: 'ignored',
    rotates: true,
    // https://shopify.dev/changelog/more-resilient-refreshes-for-expiring-offline-access-tokens: 30 days from its first
    // use, until its replacement is used, and not beyond its own 90 days.
    graceSeconds: 2592000,
    graceUntilUsed: true,
    idleSeconds: 7776000,
    answer: offline,
  },
  offline: query => query.get('grant_options[]') !== 'per-user',
  lifetime: 3600,
  prefix: { access: 'shpat_', refresh: 'shprt_' },
  credential: { header: 'x-shopify-access-token', prefix: '' },
  api: [
    {
      method: 'GET',
      url: 'https://{shop}.myshopify.com/admin/api/{version}/shop.json',
      answer: ({ account, host }) => ({
        status: 200,
        body: {
          shop: {
            id: Number(account.id),
            name: account.name,
            email: account.person.email,
            domain: host,
            province: 'California',
            country: 'US',
            address1: '1 Infinite Loop',
            zip: '95014',
            city: 'Cupertino',
            source: null,
            phone: '1231231234',
            latitude: 45.45,
            longitude: -75.43,
            primary_locale: 'en',
            address2: 'Suite 100',
            created_at: '2023-12-31T19:00:00-05:00',
            updated_at: '2023-12-31T19:00:00-05:00',
            country_code: 'US',
            country_name: 'United States',
            currency: 'USD',
            customer_email: account.person.email,
            timezone: '(GMT-05:00) Eastern Time (US & Canada)',
            iana_timezone: 'America/New_York',
            shop_owner: account.person.name,
            money_format: '${{amount}}',
            money_with_currency_format: '${{amount}} USD',
            weight_unit: 'lb',
            province_code: 'CA',
            taxes_included: null,
            auto_configure_tax_inclusivity: null,
            tax_shipping: null,
            county_taxes: true,
            plan_display_name: 'Basic',
            plan_name: 'basic',
            has_discounts: true,
            has_gift_cards: true,
            myshopify_domain: host,
            google_apps_domain: null,
            google_apps_login_enabled: null,
            money_in_emails_format: '${{amount}}',
            money_with_currency_in_emails_format: '${{amount}} USD',
            eligible_for_payments: true,
            requires_extra_payments_agreement: false,
            password_enabled: false,
            has_storefront: true,
            finances: true,
            primary_location_id: 655441491,
            checkout_api_supported: true,
            multi_location_enabled: true,
            setup_required: false,
            pre_launch_enabled: false,
            enabled_presentment_currencies: ['USD'],
            transactional_sms_disabled: false,
            marketing_sms_consent_enabled_at_checkout: false,
          },
        },
      }),
    },
  ],
  unauthorized: {
    status: 401,
    body: { errors: '[API] Invalid API key or access token (unrecognized login or wrong password)' },
  },
  accounts: [
    { id: '548380009', name: 'Acme Store', person: { id: '902541635', name: 'Ada Byron', email: 'ada@acme.example' } },
    {
      id: '690933842',
      name: 'Globex Outlet',
      person: { id: '799407056', name: 'Grace Murray', email: 'grace@globex.example' },
    },
  ],
})
