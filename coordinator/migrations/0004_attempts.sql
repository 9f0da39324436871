-- How a job comes to its end over several attempts: since when it is in its
-- state, when the attempt was given its places, before when it does not begin,
-- what became of the attempts before it, and of which job it does the same
-- again (at most one for each).
ALTER TABLE jobs ADD COLUMN since_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN begun_at_ms BIGINT;
ALTER TABLE jobs ADD COLUMN not_before_ms BIGINT;
ALTER TABLE jobs ADD COLUMN attempts TEXT NOT NULL DEFAULT '[]'; -- JSON
ALTER TABLE jobs ADD COLUMN retry_of TEXT;

UPDATE jobs SET
    since_ms = COALESCE(ended_at_ms, started_at_ms, submitted_at_ms),
    begun_at_ms = started_at_ms;

CREATE UNIQUE INDEX jobs_by_retry_of ON jobs (retry_of);
