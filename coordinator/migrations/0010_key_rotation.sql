-- The number of the encryption key that the attempt shall have come to, since
-- somebody asked; 0 for none in particular.
ALTER TABLE jobs ADD COLUMN key_epoch BIGINT NOT NULL DEFAULT 0;
