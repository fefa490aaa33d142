-- A case is one row. What cases have in common (answers, findings) stands in `part`, once.
CREATE TABLE message_case (
    seq       INTEGER PRIMARY KEY,     -- the order in which cases were written
    id        TEXT    NOT NULL UNIQUE,
    public_id TEXT    UNIQUE,          -- of refused messages only
    at        BIGINT  NOT NULL,        -- seconds since 1970
    nonce     BLOB    NOT NULL,        -- leaves the store for replay alone
    hashed    BIGINT  NOT NULL,        -- 1 once its addresses are
    findings  TEXT    NOT NULL,        -- ids of parts, in order: 1 2 3
    evidence  TEXT    NOT NULL,
    body      TEXT    NOT NULL         -- everything else, as JSON
);

CREATE TABLE part (
    id      INTEGER PRIMARY KEY,
    digest  BLOB    NOT NULL UNIQUE,   -- of the content, with the file's key
    uses    BIGINT  NOT NULL,          -- by how many places in cases
    content TEXT    NOT NULL
);

-- Which cases an hour has. The clock may have been set back: the hours' spans may overlap.
CREATE TABLE hour_span (
    hour      BIGINT PRIMARY KEY,      -- hours since 1970
    first_seq BIGINT NOT NULL,
    last_seq  BIGINT NOT NULL,
    hashed    BIGINT NOT NULL          -- 1 once the addresses of all its cases are
);

-- Counters outlive the cases that they count.
CREATE TABLE hour_action (
    hour   BIGINT NOT NULL,
    action TEXT   NOT NULL,
    cases  BIGINT NOT NULL,
    PRIMARY KEY (hour, action)
);

CREATE TABLE hour_finding (
    hour     BIGINT NOT NULL,
    method   TEXT   NOT NULL,
    identity TEXT   NOT NULL,
    result   TEXT   NOT NULL,
    findings BIGINT NOT NULL,
    PRIMARY KEY (hour, method, identity, result)
);

CREATE TABLE day_refused (
    day    BIGINT NOT NULL,            -- days since 1970
    domain TEXT   NOT NULL,            -- '' for all beyond the bound of a day
    cases  BIGINT NOT NULL,
    PRIMARY KEY (day, domain)
);

-- How many cases there are: to count them takes a while.
CREATE TABLE kept (
    cases BIGINT NOT NULL
);
INSERT INTO kept (cases) VALUES (0);

-- The words of cases that are searched by their beginnings.
CREATE TABLE word (
    word TEXT PRIMARY KEY
) WITHOUT ROWID;                       -- SQLite's own: in PostgreSQL it is left out

CREATE TABLE secret (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
);

-- SQLite's own: the words of each case under its seq. PostgreSQL has a tsvector column instead.
CREATE VIRTUAL TABLE case_word USING fts5 (
    words,
    content = '',
    contentless_delete = 1,
    detail = none,
    tokenize = "ascii tokenchars '!#$%&*+-./:=?@^_{|}~'"
);
