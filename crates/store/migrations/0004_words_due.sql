-- The words of cases that `case_word` does not have yet: to bring them there costs as much as all
-- else that a case does to the file, and less if it is done for many cases at once.
CREATE TABLE word_due (
    first_seq INTEGER PRIMARY KEY,     -- the seq of the first; the others follow
    cases     BIGINT NOT NULL,         -- how many
    words     TEXT   NOT NULL          -- of each, as an array of JSON
);
