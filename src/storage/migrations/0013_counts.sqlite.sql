-- How many connections were made in which span of time, of each integration and (under '') of all, so that a page far down a list
-- is found without a look at every row before it: `counts.ts`. Spans are of 12 days, 35 minutes and 4 seconds, in milliseconds.
-- The triggers keep it, in whatever transaction a row is written.

CREATE VIEW count_spans (span) AS VALUES (1073741824), (2097152), (4096);

CREATE TABLE connection_counts (
  environment_id BIGINT NOT NULL,
  integration_key TEXT NOT NULL,
  span BIGINT NOT NULL,
  since BIGINT NOT NULL,
  connections BIGINT NOT NULL,
  PRIMARY KEY (environment_id, integration_key, span, since)
) WITHOUT ROWID;

-- Nobody writes rows of it: what is inserted into it is added to the counts.
CREATE VIEW connection_changes (number, environment_id, integration_key, created_at, connections) AS VALUES (0, 0, '', 0, 0);

CREATE TRIGGER connections_counted INSTEAD OF INSERT ON connection_changes BEGIN
  INSERT INTO connection_counts
    SELECT new.environment_id, column1, span, new.created_at - new.created_at % span, new.connections
    FROM count_spans CROSS JOIN (VALUES (''), (new.integration_key)) WHERE true
    ON CONFLICT DO UPDATE SET connections = connections + excluded.connections;
  DELETE FROM connection_counts
    WHERE new.connections < 0 AND connections = 0
      AND environment_id = new.environment_id AND integration_key IN ('', new.integration_key)
      AND (span, since) IN (SELECT span, new.created_at - new.created_at % span FROM count_spans);
END;

CREATE TRIGGER connections_came AFTER INSERT ON connections BEGIN
  INSERT INTO connection_changes (environment_id, integration_key, created_at, connections)
    VALUES (new.environment_id, new.integration_key, new.created_at, 1);
END;

CREATE TRIGGER connections_went AFTER DELETE ON connections BEGIN
  INSERT INTO connection_changes (environment_id, integration_key, created_at, connections)
    VALUES (old.environment_id, old.integration_key, old.created_at, -1);
END;

CREATE TRIGGER connections_moved AFTER UPDATE OF environment_id, integration_key, created_at ON connections
  WHEN (new.environment_id, new.integration_key, new.created_at)
    IS NOT (old.environment_id, old.integration_key, old.created_at) BEGIN
  INSERT INTO connection_changes (environment_id, integration_key, created_at, connections) VALUES
    (old.environment_id, old.integration_key, old.created_at, -1),
    (new.environment_id, new.integration_key, new.created_at, 1);
END;

INSERT INTO connection_counts
  SELECT environment_id, key, span, created_at - created_at % span, count(*)
  FROM (SELECT environment_id, created_at, '' AS key FROM connections
    UNION ALL SELECT environment_id, created_at, integration_key FROM connections)
  CROSS JOIN count_spans GROUP BY 1, 2, 3, 4;
