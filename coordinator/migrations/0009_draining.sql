-- A row while nothing new begins: since when, and who said so.
CREATE TABLE draining (
    one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    since_ms BIGINT NOT NULL,
    who TEXT NOT NULL
);
