-- How long a provider is waited for, and how much passes, where the operator set that.
ALTER TABLE integrations ADD COLUMN limits_json TEXT;
