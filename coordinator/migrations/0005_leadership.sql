-- Which coordinator leads: one row, always. The token grows with every taking
-- and with nothing else; who writes names it.
CREATE TABLE leadership (
    number        BIGINT NOT NULL PRIMARY KEY CHECK (number = 1),
    token         BIGINT NOT NULL,
    leader        TEXT,            -- its address; none: nobody leads
    expires_at_ms BIGINT NOT NULL  -- by the database's clock
);

INSERT INTO leadership (number, token, expires_at_ms) VALUES (1, 0, 0);
