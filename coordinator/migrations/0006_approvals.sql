-- What each party has answered to a job: its signature, or why it does not take
-- part. Jobs that nobody has begun are proposed to their parties first; what runs
-- was not signed, and ends at the parties, which begin nothing without.
ALTER TABLE jobs ADD COLUMN approvals TEXT NOT NULL DEFAULT '{"active":null,"passive":null}'; -- JSON

UPDATE jobs SET state = 'awaiting_approval' WHERE state = 'queued' AND begun_at_ms IS NULL;
