-- Every job, once. The text of an identity (UUID version 7) sorts by time of
-- submission. `version` grows with every write: together with `state` it is
-- what a writer must have seen. Types are those that SQLite and PostgreSQL
-- share.
CREATE TABLE jobs (
    id              TEXT   NOT NULL PRIMARY KEY,
    version         BIGINT NOT NULL,
    state           TEXT   NOT NULL,
    attempt         BIGINT NOT NULL,
    granted         BIGINT NOT NULL,
    spec            TEXT   NOT NULL, -- JSON, as submitted
    submitted_by    TEXT   NOT NULL,
    submitted_at_ms BIGINT NOT NULL,
    started_at_ms   BIGINT,
    ended_at_ms     BIGINT,
    sides           TEXT   NOT NULL, -- JSON: what each party last said
    failures        TEXT   NOT NULL  -- JSON: why, if it failed
);

CREATE INDEX jobs_by_state ON jobs (state);
