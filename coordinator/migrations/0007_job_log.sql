-- What happened to each job, in the order in which it did. Written with the change
-- that it tells of.
CREATE TABLE job_log (
    job    TEXT   NOT NULL,
    number BIGINT NOT NULL,
    entry  TEXT   NOT NULL, -- JSON
    PRIMARY KEY (job, number)
);
