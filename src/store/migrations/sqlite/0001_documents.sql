-- The file says whose it is: "cpdk".
PRAGMA application_id = 1668310123;

-- What a listing shows; rows stay small, so that BASIC reads few pages.
CREATE TABLE documents (
    -- The document's place in a listing, never given twice.
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    corpus TEXT NOT NULL,
    document_id TEXT NOT NULL,
    uid BLOB NOT NULL,
    revision INTEGER NOT NULL,
    content_hash TEXT NOT NULL,
    -- Microseconds since the epoch.
    create_time INTEGER NOT NULL,
    update_time INTEGER NOT NULL,
    -- JSON: what the view BASIC shows.
    basics TEXT NOT NULL,
    -- What filters compare with: folded names, and seconds since the epoch.
    publisher TEXT NOT NULL,
    language TEXT NOT NULL,
    published INTEGER,
    UNIQUE (corpus, document_id)
) STRICT;

-- Every index of a table ends in its seq, so each of these is in the order of a listing.
CREATE INDEX documents_by_corpus ON documents (corpus);
CREATE INDEX documents_by_publisher ON documents (corpus, publisher);
CREATE INDEX documents_by_language ON documents (corpus, language);
CREATE INDEX documents_by_published ON documents (corpus, published);

-- What only the view FULL reads.
CREATE TABLE bodies (
    seq INTEGER PRIMARY KEY REFERENCES documents (seq) ON DELETE CASCADE,
    -- As it was sent.
    content BLOB NOT NULL,
    text TEXT NOT NULL,
    -- JSON: the rest of the source and the blocks of the article.
    body TEXT NOT NULL
) STRICT;

-- What a document can be found by.
CREATE TABLE terms (
    corpus TEXT NOT NULL,
    -- 0 for a topic, 1 for an entity.
    kind INTEGER NOT NULL,
    term TEXT NOT NULL,
    seq INTEGER NOT NULL REFERENCES documents (seq) ON DELETE CASCADE,
    PRIMARY KEY (corpus, kind, term, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX terms_by_document ON terms (seq);

-- Requests that were done and what they did it to.
CREATE TABLE requests (
    corpus TEXT NOT NULL,
    request_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    -- The document may have been deleted since.
    seq INTEGER NOT NULL,
    document_id TEXT NOT NULL,
    -- Microseconds since the epoch.
    time INTEGER NOT NULL,
    PRIMARY KEY (corpus, request_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX requests_by_time ON requests (time);
