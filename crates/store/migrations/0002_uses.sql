-- How often a part is used changes with every batch, what it says never does: in a row of its own
-- the count does not have the content written again.
CREATE TABLE part_use (
    id   INTEGER PRIMARY KEY,          -- the part's
    uses BIGINT NOT NULL               -- by how many places in cases
);
INSERT INTO part_use (id, uses) SELECT id, uses FROM part;
ALTER TABLE part DROP COLUMN uses;

-- How often something was taken out: ids and words that a writer remembers hold as long as this
-- stays the same.
ALTER TABLE kept ADD COLUMN removals BIGINT NOT NULL DEFAULT 0;
