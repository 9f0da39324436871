-- Who did what to which job, each entry with the hash of the one before. Grows
-- and never changes.
CREATE TABLE audit (
    number      BIGINT NOT NULL PRIMARY KEY,
    at_ms       BIGINT NOT NULL,
    who         TEXT,
    what        TEXT   NOT NULL,
    job         TEXT,
    spec_digest TEXT,
    call        TEXT,
    previous    TEXT   NOT NULL,
    hash        TEXT   NOT NULL
);

CREATE TRIGGER audit_is_not_altered BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log only grows');
END;

CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log only grows');
END;
