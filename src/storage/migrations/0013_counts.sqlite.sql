-- How many connections of each integration were made in which span of time, so that a page far down a list is found without a look
-- at every row before it: `counts.ts`. Spans are of 50 days, 5 hours, a minute and a quarter of a second, in milliseconds. The
-- triggers keep it, in whatever transaction a row is written.

CREATE VIEW count_spans (span) AS VALUES (4294967296), (16777216), (65536), (256);

CREATE TABLE connection_counts (
  environment_id BIGINT NOT NULL,
  span BIGINT NOT NULL,
  since BIGINT NOT NULL,
  integration_key TEXT NOT NULL,
  connections BIGINT NOT NULL,
  PRIMARY KEY (environment_id, span, since, integration_key)
) WITHOUT ROWID;

INSERT INTO connection_counts
  SELECT environment_id, span, created_at - created_at % span, integration_key, count(*)
  FROM connections CROSS JOIN count_spans GROUP BY 1, 2, 3, 4;

-- Nobody reads it: what is inserted into it is added to the counts.
CREATE VIEW connection_changes (environment_id, created_at, integration_key, connections) AS VALUES (0, 0, '', 0);

CREATE TRIGGER connections_counted INSTEAD OF INSERT ON connection_changes BEGIN
  INSERT INTO connection_counts
    SELECT new.environment_id, span, new.created_at - new.created_at % span, new.integration_key, new.connections
    FROM count_spans WHERE true
    ON CONFLICT DO UPDATE SET connections = connections + excluded.connections;
  DELETE FROM connection_counts
    WHERE new.connections < 0 AND connections = 0
      AND environment_id = new.environment_id AND integration_key = new.integration_key
      AND (span, since) IN (SELECT span, new.created_at - new.created_at % span FROM count_spans);
END;

CREATE TRIGGER connections_came AFTER INSERT ON connections BEGIN
  INSERT INTO connection_changes VALUES (new.environment_id, new.created_at, new.integration_key, 1);
END;

CREATE TRIGGER connections_went AFTER DELETE ON connections BEGIN
  INSERT INTO connection_changes VALUES (old.environment_id, old.created_at, old.integration_key, -1);
END;

CREATE TRIGGER connections_moved AFTER UPDATE OF environment_id, created_at, integration_key ON connections
  WHEN (new.environment_id, new.created_at, new.integration_key)
    IS NOT (old.environment_id, old.created_at, old.integration_key) BEGIN
  INSERT INTO connection_changes VALUES (old.environment_id, old.created_at, old.integration_key, -1);
  INSERT INTO connection_changes VALUES (new.environment_id, new.created_at, new.integration_key, 1);
END;
