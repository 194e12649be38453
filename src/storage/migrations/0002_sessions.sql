-- End users, connect sessions, what is left of a connection that was deleted, and credentials that are no OAuth token.

CREATE TABLE end_users (
  environment_id BIGINT NOT NULL REFERENCES environments (id),
  id TEXT NOT NULL,
  username TEXT NOT NULL,
  full_name TEXT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (environment_id, id),
  UNIQUE (environment_id, username)
);

CREATE TABLE connect_sessions (
  environment_id BIGINT NOT NULL REFERENCES environments (id),
  id TEXT NOT NULL,
  token_hash TEXT NOT NULL,
  integration_key TEXT NOT NULL,
  end_user_id TEXT NOT NULL,
  caller TEXT NOT NULL,
  opens TEXT NOT NULL,
  dialect TEXT NOT NULL,
  duplicate SMALLINT NOT NULL,
  params_json TEXT NOT NULL,
  name TEXT,
  return_to TEXT,
  state_hash TEXT,
  state BYTES,
  state_given SMALLINT NOT NULL,
  browser_hash TEXT,
  code_hash TEXT,
  code BYTES,
  -- The row that it made or repaired, once it has.
  connection_row TEXT,
  outcome_json TEXT,
  finished_at BIGINT,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (environment_id, id),
  UNIQUE (environment_id, token_hash),
  UNIQUE (environment_id, code_hash)
);

CREATE INDEX connect_sessions_by_state ON connect_sessions (environment_id, state_hash);
CREATE INDEX connect_sessions_by_caller ON connect_sessions (environment_id, caller, created_at);
CREATE INDEX connect_sessions_by_user ON connect_sessions (environment_id, end_user_id);
CREATE INDEX connect_sessions_by_deadline ON connect_sessions (expires_at);

-- That it was there, and when it went: nothing of the credential.
CREATE TABLE deleted_connections (
  environment_id BIGINT NOT NULL REFERENCES environments (id),
  id TEXT NOT NULL,
  integration_key TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  end_user_id TEXT NOT NULL,
  deleted_at BIGINT NOT NULL,
  -- The row that took its place, where two were merged: its id leads there.
  merged_into TEXT,
  PRIMARY KEY (environment_id, id)
);

CREATE INDEX deleted_connections_by_name ON deleted_connections (environment_id, connection_id);

ALTER TABLE environments ADD COLUMN jwt_key BYTES;
-- 1: an exchange that names no attempt is told the connection of the latest one, not its status only.
ALTER TABLE environments ADD COLUMN tells_latest SMALLINT NOT NULL DEFAULT 0;
-- Where the provider sends the browser, if that is the app and not the hub.
ALTER TABLE integrations ADD COLUMN redirect_uri TEXT;
ALTER TABLE attempts ADD COLUMN session_id TEXT;
ALTER TABLE attempts ADD COLUMN name TEXT;
CREATE INDEX attempts_by_session ON attempts (environment_id, session_id);
ALTER TABLE connections ADD COLUMN kind TEXT NOT NULL DEFAULT 'oauth2';
ALTER TABLE connections ADD COLUMN name TEXT;
-- Whether somebody whom the hub knows began it: a key, a JWT, an HMAC; or a bare public key.
ALTER TABLE connections ADD COLUMN trust TEXT NOT NULL DEFAULT 'public';
-- When it was last found to work.
ALTER TABLE connections ADD COLUMN checked_at BIGINT;

CREATE INDEX connections_by_user ON connections (environment_id, end_user_id, created_at);
