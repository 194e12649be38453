-- How the refreshes of a connection stand, apart from its row: leases, marks and claims change often, and a row with sealed
-- parts is costly to write again. One row for each connection that has a refresh token.
-- Times of leases and marks are the database's own, so that the clocks of processes need not agree; due_at, failed_at and
-- wait_until are the hub's, as expiries are.

CREATE TABLE refreshes (
  environment_id BIGINT NOT NULL,
  id TEXT NOT NULL,
  provider TEXT NOT NULL,
  -- When the background looks at it next; NULL: never.
  due_at BIGINT,
  lease_holder TEXT,
  lease_fence BIGINT NOT NULL,
  lease_until BIGINT NOT NULL,
  -- The refresh token that was sent off and not heard of: its digest, when first and when last, and how often as a probe.
  mark_digest TEXT,
  mark_first_at BIGINT,
  mark_at BIGINT,
  probes BIGINT NOT NULL,
  failures BIGINT NOT NULL,
  failed_at BIGINT,
  wait_until BIGINT,
  PRIMARY KEY (environment_id, id),
  FOREIGN KEY (environment_id, id) REFERENCES connections (environment_id, id) ON DELETE CASCADE
);

CREATE INDEX refreshes_by_due ON refreshes (due_at, provider);

-- Why a connection must be authorised again, as a code beside the sentence.
ALTER TABLE connections ADD COLUMN status_cause TEXT;

INSERT INTO refreshes (environment_id, id, provider, due_at, lease_fence, lease_until, probes, failures)
  SELECT environment_id, id, provider, expires_at, 0, 0, 0, 0 FROM connections WHERE renewal_part IS NOT NULL;
