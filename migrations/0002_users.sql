-- Whose files an API key reads and writes, where that is not the owner named after the key itself: so that a key can be
-- replaced. An id is the SHA-256 of the key, as an owner is.

CREATE TABLE users (
  id TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  name TEXT,
  created_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX users_by_owner ON users (owner, created_at);

-- Bytes as stored, counted with each file: a sum over all files of an owner read a row of each.
ALTER TABLE owners ADD COLUMN stored_bytes INTEGER NOT NULL DEFAULT 0;

UPDATE owners SET stored_bytes =
  (SELECT coalesce(sum(files.stored_bytes), 0) FROM files WHERE files.owner = owners.owner);
