import type { Expectation } from './expectation.ts'
import github from './providers/github.ts'
import gitlab from './providers/gitlab.ts'
import google from './providers/google.ts'
import googleDrive from './providers/google-drive.ts'
import hubspot from './providers/hubspot.ts'
import microsoft from './providers/microsoft.ts'
import notion from './providers/notion.ts'
import salesforce from './providers/salesforce.ts'
import shopify from './providers/shopify.ts'
import slack from './providers/slack.ts'
import trello from './providers/trello.ts'
import xero from './providers/xero.ts'
import zendesk from './providers/zendesk.ts'

export const expectations: readonly Expectation[] = [
  github,
  gitlab,
  google,
  googleDrive,
  hubspot,
  microsoft,
  notion,
  salesforce,
  shopify,
  slack,
  trello,
  xero,
  zendesk,
]
