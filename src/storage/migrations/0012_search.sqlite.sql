-- What a search looks into, by every three characters of it: `sqlite-search.ts`. A row has its number there for life; those
-- of an environment follow each other, so that its own are read and no others. The triggers keep it, in whatever transaction
-- a row is written.

ALTER TABLE environments ADD COLUMN search_number BIGINT;
ALTER TABLE connections ADD COLUMN search_number BIGINT;
ALTER TABLE end_users ADD COLUMN search_number BIGINT;

UPDATE environments SET search_number = (SELECT count(*) FROM environments AS other WHERE other.id <= environments.id) << 40;
UPDATE connections SET search_number = rowid + (SELECT search_number FROM environments WHERE id = environment_id);
UPDATE end_users SET search_number = rowid + (SELECT search_number FROM environments WHERE id = environment_id);
UPDATE environments SET search_number = search_number +
  max((SELECT coalesce(max(rowid), 0) FROM connections), (SELECT coalesce(max(rowid), 0) FROM end_users));

CREATE UNIQUE INDEX connections_searched ON connections (search_number);
CREATE UNIQUE INDEX end_users_searched ON end_users (search_number);

CREATE VIRTUAL TABLE connections_text USING fts5(text, content='', contentless_delete=1, detail=none, tokenize='trigram');
CREATE VIRTUAL TABLE end_users_text USING fts5(text, content='', contentless_delete=1, detail=none, tokenize='trigram');

INSERT INTO connections_text (rowid, text) SELECT search_number, connection_id FROM connections ORDER BY search_number;
INSERT INTO end_users_text (rowid, text)
  SELECT search_number, username || char(10) || coalesce(full_name, '') || char(10) || coalesce(email, '')
  FROM end_users ORDER BY search_number;

CREATE TRIGGER environments_searched AFTER INSERT ON environments BEGIN
  UPDATE environments SET search_number = (SELECT coalesce(max(search_number >> 40), 0) + 1 FROM environments) << 40
    WHERE id = new.id;
END;

CREATE TRIGGER connections_added AFTER INSERT ON connections BEGIN
  UPDATE environments SET search_number = search_number + 1 WHERE id = new.environment_id;
  UPDATE connections SET search_number = (SELECT search_number FROM environments WHERE id = new.environment_id)
    WHERE rowid = new.rowid;
  INSERT INTO connections_text (rowid, text)
    SELECT search_number, new.connection_id FROM environments WHERE id = new.environment_id;
END;

CREATE TRIGGER connections_renamed AFTER UPDATE OF connection_id ON connections
  WHEN new.connection_id IS NOT old.connection_id BEGIN
  UPDATE connections_text SET text = new.connection_id WHERE rowid = new.search_number;
END;

CREATE TRIGGER connections_removed AFTER DELETE ON connections BEGIN
  DELETE FROM connections_text WHERE rowid = old.search_number;
END;

CREATE TRIGGER end_users_added AFTER INSERT ON end_users BEGIN
  UPDATE environments SET search_number = search_number + 1 WHERE id = new.environment_id;
  UPDATE end_users SET search_number = (SELECT search_number FROM environments WHERE id = new.environment_id)
    WHERE rowid = new.rowid;
  INSERT INTO end_users_text (rowid, text)
    SELECT search_number, new.username || char(10) || coalesce(new.full_name, '') || char(10) || coalesce(new.email, '')
    FROM environments WHERE id = new.environment_id;
END;

CREATE TRIGGER end_users_renamed AFTER UPDATE OF username, full_name, email ON end_users
  WHEN (new.username, new.full_name, new.email) IS NOT (old.username, old.full_name, old.email) BEGIN
  UPDATE end_users_text
    SET text = new.username || char(10) || coalesce(new.full_name, '') || char(10) || coalesce(new.email, '')
    WHERE rowid = new.search_number;
END;

CREATE TRIGGER end_users_removed AFTER DELETE ON end_users BEGIN
  DELETE FROM end_users_text WHERE rowid = old.search_number;
END;
