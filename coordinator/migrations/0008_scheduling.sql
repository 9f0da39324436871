-- Who starts next: how much of a hurry a job is in, and for how long it has had
-- its places, of which its submitter's share is reckoned.
ALTER TABLE jobs ADD COLUMN priority TEXT NOT NULL DEFAULT 'normal';
ALTER TABLE jobs ADD COLUMN tenure TEXT NOT NULL DEFAULT '{}'; -- JSON
