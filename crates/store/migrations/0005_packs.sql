-- Words wait no more: those that did go where they belong.
INSERT INTO case_word (rowid, words)
SELECT first_seq + key, value FROM word_due, json_each(word_due.words) WHERE json_valid(words);
DROP TABLE word_due;

-- Cases of a flood, as they came: packed in octets, which costs next to nothing. They are written
-- out when it is over. Those of our form are newer than all that `message_case` has. All are counted
-- already.
CREATE TABLE case_pack (
    first_seq INTEGER PRIMARY KEY,     -- the seq of the first; the others follow
    cases     BIGINT NOT NULL,         -- how many
    form      BIGINT NOT NULL,         -- in which form they are packed
    hour      BIGINT NOT NULL,         -- in which the last of them came, in hours since 1970
    ids       TEXT   NOT NULL,         -- of the cases and of their pages
    octets    BLOB   NOT NULL,         -- in the block format of LZ4, behind how many they are
    -- Far from what a number can hold.
    CHECK (first_seq BETWEEN 1 AND 1000000000000000000 AND cases BETWEEN 1 AND 1000000000)
);
