-- Sessions that leave the choice of the integration to the end user, or repair one connection; pages that wait on a socket
-- to be told how an attempt ended; and clients that an end user brings.

ALTER TABLE attempts ADD COLUMN client BYTES;
ALTER TABLE attempts ADD COLUMN repairs TEXT;
ALTER TABLE attempts ADD COLUMN listener TEXT;
ALTER TABLE attempts ADD COLUMN told_at BIGINT;
CREATE INDEX attempts_by_listener ON attempts (listener) WHERE listener IS NOT NULL;
ALTER TABLE connections ADD COLUMN client BYTES;
-- What may be chosen, and what the app's back end fixed for each integration.
ALTER TABLE connect_sessions ADD COLUMN choice_json TEXT;
ALTER TABLE connect_sessions ADD COLUMN repairs TEXT;
