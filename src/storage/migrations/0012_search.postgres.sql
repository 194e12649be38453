-- What a search looks into, by every three letters and digits of it: `postgres-search.ts`. The collation is another than that of
-- the columns, so that no other statement is planned along it: which letters are one is the server's word here, and what a
-- search finds must be ours. Where the extension cannot be made, a search looks at every row, as before.

DO $$
DECLARE
  place text;
BEGIN
  BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
  EXCEPTION WHEN OTHERS THEN
    RAISE NOTICE 'pg_trgm is not there: %', SQLERRM;
    RETURN;
  END;
  SELECT nspname INTO place FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace WHERE extname = 'pg_trgm';
  EXECUTE format('CREATE INDEX IF NOT EXISTS connections_searched ON connections
    USING gin (lower(connection_id) COLLATE "default" %1$I.gin_trgm_ops) WITH (gin_pending_list_limit = 64)', place);
  EXECUTE format('CREATE INDEX IF NOT EXISTS end_users_searched ON end_users
    USING gin (lower(username) COLLATE "default" %1$I.gin_trgm_ops, lower(full_name) COLLATE "default" %1$I.gin_trgm_ops,
      lower(email) COLLATE "default" %1$I.gin_trgm_ops) WITH (gin_pending_list_limit = 64)', place);
END $$;
