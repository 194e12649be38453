-- How many connections of each integration were made in which span of time, so that a page far down a list is found without a look
-- at every row before it: `counts.ts`. Spans are of 50 days, 5 hours, a minute and a quarter of a second, in milliseconds. What
-- comes and goes is noted by triggers, in whatever transaction a row is written and each in a row of its own, so that nobody waits
-- for another; the sweep adds the notes to the counts. Whoever writes connections waits while this runs, so that none is missed.

CREATE VIEW count_spans (span) AS VALUES (BIGINT '4294967296'), (16777216), (65536), (256);

CREATE TABLE connection_counts (
  environment_id BIGINT NOT NULL,
  span BIGINT NOT NULL,
  since BIGINT NOT NULL,
  integration_key TEXT NOT NULL,
  connections BIGINT NOT NULL,
  PRIMARY KEY (environment_id, span, since, integration_key)
);
CREATE INDEX connection_counts_none ON connection_counts (connections) WHERE connections = 0;

CREATE TABLE connection_changes (
  number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  environment_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  integration_key TEXT NOT NULL,
  connections BIGINT NOT NULL
);

CREATE FUNCTION note_connection() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    INSERT INTO connection_changes (environment_id, created_at, integration_key, connections)
      VALUES (OLD.environment_id, OLD.created_at, OLD.integration_key, -1);
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO connection_changes (environment_id, created_at, integration_key, connections)
      VALUES (NEW.environment_id, NEW.created_at, NEW.integration_key, 1);
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER connections_came_or_went AFTER INSERT OR DELETE ON connections
  FOR EACH ROW EXECUTE FUNCTION note_connection();
CREATE TRIGGER connections_moved AFTER UPDATE OF environment_id, created_at, integration_key ON connections
  FOR EACH ROW WHEN ((NEW.environment_id, NEW.created_at, NEW.integration_key)
    IS DISTINCT FROM (OLD.environment_id, OLD.created_at, OLD.integration_key))
  EXECUTE FUNCTION note_connection();

INSERT INTO connection_counts
  SELECT environment_id, span, created_at - created_at % span, integration_key, count(*)
  FROM connections CROSS JOIN count_spans GROUP BY 1, 2, 3, 4;
