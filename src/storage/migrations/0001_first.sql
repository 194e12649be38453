-- The first tables. Portable SQL: BIGINT times are milliseconds since 1970, TEXT columns named …_json hold JSON.
-- The environment leads every primary and unique key, so that the tables can be sharded by it.
-- BYTES stands for the engine's binary type.

CREATE TABLE marks (
  name TEXT PRIMARY KEY,
  value BYTES NOT NULL
);

CREATE TABLE environments (
  id BIGINT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  public_key TEXT NOT NULL UNIQUE,
  wrapped_key BYTES NOT NULL,
  hmac_key BYTES,
  created_at BIGINT NOT NULL
);

CREATE TABLE allowed_urls (
  environment_id BIGINT NOT NULL REFERENCES environments (id),
  kind TEXT NOT NULL,
  url TEXT NOT NULL,
  PRIMARY KEY (environment_id, kind, url)
);

CREATE TABLE secret_keys (
  environment_id BIGINT NOT NULL REFERENCES environments (id),
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  hash TEXT NOT NULL,
  hint TEXT NOT NULL,
  scopes_json TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  revoked_at BIGINT,
  PRIMARY KEY (environment_id, id)
);

CREATE TABLE integrations (
  environment_id BIGINT NOT NULL REFERENCES environments (id),
  key TEXT NOT NULL,
  id TEXT NOT NULL,
  provider TEXT NOT NULL,
  client_id TEXT NOT NULL,
  client_secret BYTES NOT NULL,
  scopes_json TEXT NOT NULL,
  settings_json TEXT NOT NULL,
  sandbox SMALLINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (environment_id, key)
);

CREATE TABLE attempts (
  environment_id BIGINT NOT NULL REFERENCES environments (id),
  state_hash TEXT NOT NULL,
  browser_hash TEXT NOT NULL,
  integration_key TEXT NOT NULL,
  integration_id TEXT NOT NULL,
  provider TEXT NOT NULL,
  connection_id TEXT,
  end_user_id TEXT NOT NULL,
  trust TEXT NOT NULL,
  duplicate SMALLINT NOT NULL,
  scopes_json TEXT NOT NULL,
  config_json TEXT NOT NULL,
  redirect_uri TEXT NOT NULL,
  issuer TEXT,
  issuer_always SMALLINT NOT NULL,
  verifier BYTES,
  return_to TEXT,
  dialect TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  taken_at BIGINT,
  outcome_json TEXT,
  PRIMARY KEY (environment_id, state_hash)
);

CREATE INDEX attempts_by_deadline ON attempts (expires_at);

CREATE TABLE connections (
  environment_id BIGINT NOT NULL,
  id TEXT NOT NULL,
  number BIGINT NOT NULL,
  integration_key TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  provider TEXT NOT NULL,
  end_user_id TEXT NOT NULL,
  -- What a new authorization of the same account finds the row by; NULL where it must not.
  account_key TEXT,
  account_json TEXT,
  status TEXT NOT NULL,
  status_reason TEXT,
  access_part BYTES NOT NULL,
  renewal_part BYTES,
  expires_at BIGINT,
  obtained_at BIGINT NOT NULL,
  credential_revision BIGINT NOT NULL,
  scopes_json TEXT,
  config_json TEXT NOT NULL,
  metadata_json TEXT NOT NULL,
  facts_json TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (environment_id, id),
  UNIQUE (environment_id, number),
  UNIQUE (environment_id, integration_key, connection_id),
  UNIQUE (environment_id, integration_key, end_user_id, account_key),
  FOREIGN KEY (environment_id, integration_key) REFERENCES integrations (environment_id, key)
);

CREATE INDEX connections_by_age ON connections (environment_id, created_at);
CREATE INDEX connections_by_name ON connections (environment_id, connection_id);
