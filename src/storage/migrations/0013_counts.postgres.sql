-- How many connections were made in which span of time, of each integration and (under '') of all, so that a page far down a list
-- is found without a look at every row before it: `counts.ts`. Spans are of 12 days, 35 minutes and 4 seconds, in milliseconds. What
-- comes and goes is noted by triggers, in whatever transaction a row is written and each in a row of its own, so that nobody waits
-- for another; the sweep adds the notes to the counts. Whoever writes connections waits while this runs, so that none is missed.

CREATE VIEW count_spans (span) AS VALUES (BIGINT '1073741824'), (2097152), (4096);

CREATE TABLE connection_counts (
  environment_id BIGINT NOT NULL,
  integration_key TEXT NOT NULL,
  span BIGINT NOT NULL,
  since BIGINT NOT NULL,
  connections BIGINT NOT NULL,
  PRIMARY KEY (environment_id, integration_key, span, since)
);
CREATE INDEX connection_counts_none ON connection_counts (connections) WHERE connections = 0;

CREATE TABLE connection_changes (
  number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  environment_id BIGINT NOT NULL,
  integration_key TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  connections BIGINT NOT NULL
);

CREATE FUNCTION note_connection() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    INSERT INTO connection_changes (environment_id, integration_key, created_at, connections)
      VALUES (OLD.environment_id, OLD.integration_key, OLD.created_at, -1);
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO connection_changes (environment_id, integration_key, created_at, connections)
      VALUES (NEW.environment_id, NEW.integration_key, NEW.created_at, 1);
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER connections_came_or_went AFTER INSERT OR DELETE ON connections
  FOR EACH ROW EXECUTE FUNCTION note_connection();
CREATE TRIGGER connections_moved AFTER UPDATE ON connections
  FOR EACH ROW WHEN ((NEW.environment_id, NEW.integration_key, NEW.created_at)
    IS DISTINCT FROM (OLD.environment_id, OLD.integration_key, OLD.created_at))
  EXECUTE FUNCTION note_connection();

INSERT INTO connection_counts
  SELECT environment_id, key, span, created_at - created_at % span, count(*)
  FROM (SELECT environment_id, created_at, '' AS key FROM connections
    UNION ALL SELECT environment_id, created_at, integration_key FROM connections) AS each
  CROSS JOIN count_spans GROUP BY 1, 2, 3, 4;
