/** The rows of webhooks as the database holds them. */
export interface WebhookTables {
  webhook_endpoints: {
    environment_id: number
    url: string
    secret: Uint8Array
    previous_secret: Uint8Array | null
    previous_until: number | null
    events_json: string
    style: string
    revision: number
    created_at: number
    updated_at: number
  }
  deliveries: {
    environment_id: number
    id: string
    type: string
    body: string
    status: string
    tries: number
    available_at: number
    claimed_until: number | null
    sent_to: string | null
    last_status: number | null
    last_error: string | null
    created_at: number
    delivered_at: number | null
    style: string
    url: string | null
  }
}
