-- To move an environment to another hub: from then on nothing is written here that would be missed there.
ALTER TABLE environments ADD COLUMN frozen_at BIGINT;

-- Of a connection that came from a backup: the revision of the credential that it came with. While that one stands, nobody
-- knows whether the hub that the backup is of has used the refresh token since.
ALTER TABLE refreshes ADD COLUMN restored_revision BIGINT;
