-- Webhooks: where an environment is told of its events, and each telling.

CREATE TABLE webhook_endpoints (
  environment_id BIGINT PRIMARY KEY REFERENCES environments (id),
  url TEXT NOT NULL,
  secret BYTES NOT NULL,
  -- The secret before the last rotation, and until when it signs besides the new one.
  previous_secret BYTES,
  previous_until BIGINT,
  events_json TEXT NOT NULL,
  revision BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE TABLE deliveries (
  environment_id BIGINT NOT NULL REFERENCES environments (id),
  id TEXT NOT NULL,
  type TEXT NOT NULL,
  body TEXT NOT NULL,
  status TEXT NOT NULL,
  tries BIGINT NOT NULL,
  available_at BIGINT NOT NULL,
  -- Set while a process sends it.
  claimed_until BIGINT,
  sent_to TEXT,
  last_status BIGINT,
  last_error TEXT,
  created_at BIGINT NOT NULL,
  delivered_at BIGINT,
  PRIMARY KEY (environment_id, id)
);

-- What is due is asked for every few seconds; it is looked for among the pending ones only.
CREATE INDEX deliveries_due ON deliveries (available_at) WHERE status = 'pending';
CREATE INDEX deliveries_by_age ON deliveries (environment_id, created_at);
CREATE INDEX deliveries_to_sweep ON deliveries (created_at);
