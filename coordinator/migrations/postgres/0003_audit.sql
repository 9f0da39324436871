-- As for SQLite; triggers are said in another way.
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

CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log only grows';
END
$$;

CREATE TRIGGER audit_is_not_altered BEFORE UPDATE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_only_grows();

CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_only_grows();

CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows();
