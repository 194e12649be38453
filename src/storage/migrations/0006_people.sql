-- Who a connection is of, and what the app calls it by: more of end users, tags, and indexes that lists are read along.

ALTER TABLE end_users ADD COLUMN email TEXT;
ALTER TABLE end_users ADD COLUMN tags_json TEXT;
ALTER TABLE end_users ADD COLUMN organization_id TEXT;
ALTER TABLE end_users ADD COLUMN organization_name TEXT;
CREATE INDEX end_users_by_organization ON end_users (environment_id, organization_id);

ALTER TABLE connections ADD COLUMN tags_json TEXT NOT NULL DEFAULT '{}';
-- Where the app wants to be told of this connection, instead of the environment's endpoint.
ALTER TABLE connections ADD COLUMN webhook_url_override TEXT;

-- The tags once more, one row each, so that connections are found by them. Its key is the order of a list.
CREATE TABLE connection_tags (
  environment_id BIGINT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  id TEXT NOT NULL,
  PRIMARY KEY (environment_id, name, value, created_at, id),
  FOREIGN KEY (environment_id, id) REFERENCES connections (environment_id, id) ON DELETE CASCADE
);
CREATE INDEX connection_tags_by_connection ON connection_tags (environment_id, id);

-- A list is newest first, and of those of one time the greater id: each index holds that order whole, so that a page is
-- found without sorting, and the rows before it are passed over without being read.
DROP INDEX connections_by_age;
DROP INDEX connections_by_user;
DROP INDEX connections_by_name;
-- The last two are what a search looks at, so that it reads no row that it does not find.
CREATE INDEX connections_in_order ON connections (environment_id, created_at, id, connection_id, end_user_id);
CREATE INDEX connections_of_name ON connections (environment_id, connection_id, created_at, id);
CREATE INDEX connections_of_user ON connections (environment_id, end_user_id, created_at, id);
CREATE INDEX connections_of_integration ON connections (environment_id, integration_key, created_at, id);

-- The account, where the provider told it, whether the row may be found by it or not: who else has it is asked before it
-- is revoked.
ALTER TABLE connections ADD COLUMN account_ref TEXT;
CREATE INDEX connections_of_account ON connections (environment_id, integration_key, account_ref);

-- What people call an integration, where that is not the provider's name.
ALTER TABLE integrations ADD COLUMN display_name TEXT;
