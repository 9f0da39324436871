-- What makes a submission that is sent twice one job: its key, unique for each
-- submitter, and the digest of what was submitted first with it.
ALTER TABLE jobs ADD COLUMN idempotency_key TEXT;
ALTER TABLE jobs ADD COLUMN submission_digest TEXT;

CREATE UNIQUE INDEX jobs_by_idempotency_key ON jobs (submitted_by, idempotency_key);
