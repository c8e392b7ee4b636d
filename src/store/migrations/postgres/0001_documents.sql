-- Names are compared byte by byte: an index in the order of a language's collation would be damaged
-- by an upgrade of the system's locales.

-- Places in a listing, never given twice.
CREATE SEQUENCE document_places AS BIGINT;

-- What a listing shows; rows stay small, so that BASIC reads few pages.
CREATE TABLE documents (
    seq BIGINT PRIMARY KEY,
    corpus TEXT COLLATE "C" NOT NULL,
    document_id TEXT COLLATE "C" NOT NULL,
    uid BYTEA NOT NULL,
    revision BIGINT NOT NULL,
    content_hash TEXT NOT NULL,
    -- Microseconds since the epoch.
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    -- JSON: what the view BASIC shows.
    basics TEXT NOT NULL,
    -- What filters compare with: folded names, and seconds since the epoch.
    publisher TEXT COLLATE "C" NOT NULL,
    language TEXT COLLATE "C" NOT NULL,
    published BIGINT,
    UNIQUE (corpus, document_id)
);

-- Both are in the order of a listing and hold what else it may be filtered by, so that the rows
-- of documents that do not match are not read.
CREATE INDEX documents_by_corpus ON documents (corpus, seq, language, published);
CREATE INDEX documents_by_publisher ON documents (corpus, publisher, seq, language, published);

-- What only the view FULL reads.
CREATE TABLE bodies (
    seq BIGINT PRIMARY KEY REFERENCES documents (seq) ON DELETE CASCADE,
    -- As it was sent.
    content BYTEA NOT NULL,
    text TEXT NOT NULL,
    -- JSON: the rest of the source and the blocks of the article.
    body TEXT NOT NULL
);

-- What a document can be found by.
CREATE TABLE terms (
    corpus TEXT COLLATE "C" NOT NULL,
    -- 0 for a topic, 1 for an entity.
    kind SMALLINT NOT NULL,
    term TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL REFERENCES documents (seq) ON DELETE CASCADE,
    PRIMARY KEY (corpus, kind, term, seq)
);

CREATE INDEX terms_by_document ON terms (seq);

-- Requests that were done and what they did it to.
CREATE TABLE requests (
    corpus TEXT COLLATE "C" NOT NULL,
    request_id TEXT COLLATE "C" NOT NULL,
    digest TEXT NOT NULL,
    -- The document may have been deleted since.
    seq BIGINT NOT NULL,
    document_id TEXT NOT NULL,
    -- Microseconds since the epoch.
    time BIGINT NOT NULL,
    PRIMARY KEY (corpus, request_id)
);

CREATE INDEX requests_by_time ON requests (time);
