-- How an endpoint is told, and each delivery as its endpoint was when it was written: a change of style leaves those that are
-- on their way as they are. And where a connection's own URL takes the place of the endpoint's.

ALTER TABLE webhook_endpoints ADD COLUMN style TEXT NOT NULL DEFAULT 'standard';
ALTER TABLE deliveries ADD COLUMN style TEXT NOT NULL DEFAULT 'standard';
ALTER TABLE deliveries ADD COLUMN url TEXT;
