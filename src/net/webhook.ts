/** Signs webhooks with the reference library of Standard Webhooks. */
import { Webhook } from 'standardwebhooks'
import type { Sign } from '../core/ports.ts'

export const signWebhook: Sign = (secrets, id, at, body) =>
  secrets.map(secret => new Webhook(secret.reveal()).sign(id, at, body)).join(' ')
