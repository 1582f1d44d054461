-- The catalogue of the file application. An owner is the SHA-256 of an API key, the first 32 hexadecimal digits of it.
-- Times are milliseconds since the epoch, sizes are bytes of content.

CREATE TABLE owners (
  owner TEXT PRIMARY KEY,
  bytes INTEGER NOT NULL DEFAULT 0,
  objects INTEGER NOT NULL DEFAULT 0,
  -- NULL: what the settings allow everybody.
  max_bytes INTEGER,
  max_objects INTEGER,
  max_requests INTEGER,
  -- Requests of one UTC day, counted from 1970, taken in blocks.
  request_day INTEGER NOT NULL DEFAULT 0,
  requests INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE TABLE files (
  owner TEXT NOT NULL,
  key TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  stored_bytes INTEGER NOT NULL,
  content_type TEXT NOT NULL,
  etag TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  expires_at INTEGER,
  PRIMARY KEY (owner, key)
) WITHOUT ROWID;

-- The sweep of what has expired.
CREATE INDEX files_by_expiry ON files (expires_at) WHERE expires_at IS NOT NULL;

-- What is reserved of a quota: a put under way, an upload by parts, a link that somebody may put with.
CREATE TABLE uploads (
  id TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  key TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('put', 'parts', 'link')),
  bytes INTEGER NOT NULL,
  content_type TEXT NOT NULL,
  -- R2's own identifier of an upload by parts.
  upload_id TEXT,
  -- Of the last object that was found to have been put by a link.
  etag TEXT,
  -- When the file itself expires.
  file_expires_at INTEGER,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;

-- What an owner has reserved, from the index alone.
CREATE INDEX uploads_by_owner ON uploads (owner, expires_at, bytes, kind);

-- The sweep of what was never finished.
CREATE INDEX uploads_by_expiry ON uploads (expires_at);

CREATE TABLE upload_parts (
  upload TEXT NOT NULL,
  part INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  etag TEXT NOT NULL,
  PRIMARY KEY (upload, part)
) WITHOUT ROWID;

CREATE TABLE shares (
  -- SHA-256 of the token, which is kept nowhere.
  id TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  key TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX shares_by_owner ON shares (owner, created_at);

CREATE INDEX shares_by_expiry ON shares (expires_at);

CREATE TABLE audit (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  owner TEXT NOT NULL,
  action TEXT NOT NULL,
  key TEXT NOT NULL,
  bytes INTEGER
);

CREATE INDEX audit_by_owner ON audit (owner, at);

CREATE TABLE usage (
  owner TEXT NOT NULL,
  -- Hours since 1970.
  hour INTEGER NOT NULL,
  requests INTEGER NOT NULL DEFAULT 0,
  bytes_in INTEGER NOT NULL DEFAULT 0,
  bytes_out INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (owner, hour)
) WITHOUT ROWID;
