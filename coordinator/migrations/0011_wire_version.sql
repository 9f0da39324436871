-- The version of the wire format that the attempt is in, since it was given its
-- places first. What began before there was another is in the first.
ALTER TABLE jobs ADD COLUMN wire BIGINT NOT NULL DEFAULT 1;
