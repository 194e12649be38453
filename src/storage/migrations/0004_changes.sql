-- A number that moves with every change of a kind, written in the change's own transaction: whoever keeps a copy in memory
-- compares it to know whether the copy is still good.

CREATE TABLE changes (
  name TEXT PRIMARY KEY,
  revision BIGINT NOT NULL
);

INSERT INTO changes (name, revision) VALUES ('keys', 0);
