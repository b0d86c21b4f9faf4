-- One text for SQLite and PostgreSQL: TEXT and BIGINT only; ids and hashes are text, booleans 0 and 1, times milliseconds since 1970.
-- A column that ends in _key is computed by the server and is what values are compared by.

CREATE TABLE users (
    id                TEXT PRIMARY KEY,
    username          TEXT NOT NULL,
    username_key      TEXT NOT NULL UNIQUE,
    email             TEXT NOT NULL,
    email_key         TEXT NOT NULL UNIQUE,
    first_name        TEXT NOT NULL,
    last_name         TEXT NOT NULL,
    role              TEXT NOT NULL,
    status            TEXT NOT NULL,
    email_verified_at BIGINT,
    created_at        BIGINT NOT NULL
);

CREATE TABLE passwords (
    user_id    TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    phc        TEXT NOT NULL,
    changed_at BIGINT NOT NULL
);

CREATE TABLE security_keys (
    id            TEXT PRIMARY KEY,
    user_id       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name          TEXT NOT NULL,
    name_key      TEXT NOT NULL,
    credential_id TEXT NOT NULL UNIQUE,
    credential    TEXT NOT NULL,
    counter       BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    last_used_at  BIGINT,
    UNIQUE (user_id, name_key)
);

-- The seed must be computed with, so it is at rest as it is. last_step is the newest time step whose code was used: none is taken twice.
CREATE TABLE authenticators (
    user_id      TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    secret       TEXT NOT NULL,
    confirmed_at BIGINT,
    last_step    BIGINT NOT NULL,
    created_at   BIGINT NOT NULL
);

CREATE TABLE applications (
    id                      TEXT PRIMARY KEY,
    name                    TEXT NOT NULL,
    consumer_key_hash       TEXT NOT NULL,
    access_token_hash       TEXT NOT NULL,
    networks                TEXT NOT NULL,
    one_time_token_suffices BIGINT NOT NULL,
    created_at              BIGINT NOT NULL,
    revoked_at              BIGINT
);

CREATE TABLE sessions (
    id              TEXT PRIMARY KEY,
    token_hash      TEXT NOT NULL UNIQUE,
    user_id         TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    application_id  TEXT REFERENCES applications (id) ON DELETE CASCADE,
    half            BIGINT NOT NULL,
    factors         TEXT NOT NULL,
    security_key_id TEXT,
    wrong_codes     BIGINT NOT NULL DEFAULT 0,
    dialect         TEXT NOT NULL,
    address         TEXT,
    user_agent      TEXT,
    created_at       BIGINT NOT NULL,
    authenticated_at BIGINT NOT NULL,
    last_seen_at     BIGINT NOT NULL,
    idle_expires_at  BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id, id);
CREATE INDEX sessions_application ON sessions (application_id);
CREATE INDEX sessions_idle ON sessions (idle_expires_at);

-- secret_hash is NULL where the secret is a short code: then payload holds its password hash, and the row is found by its user.
CREATE TABLE tickets (
    id             TEXT PRIMARY KEY,
    purpose        TEXT NOT NULL,
    secret_hash    TEXT,
    user_id        TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    session_id     TEXT REFERENCES sessions (id) ON DELETE CASCADE,
    application_id TEXT REFERENCES applications (id) ON DELETE CASCADE,
    payload        TEXT,
    tries          BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    used_at        BIGINT,
    UNIQUE (purpose, secret_hash)
);
CREATE INDEX tickets_user ON tickets (user_id, purpose);
CREATE INDEX tickets_session ON tickets (session_id, purpose);
CREATE INDEX tickets_application ON tickets (application_id);
CREATE INDEX tickets_expiry ON tickets (expires_at);

CREATE TABLE invitations (
    id          TEXT PRIMARY KEY,
    secret_hash TEXT NOT NULL UNIQUE,
    email       TEXT NOT NULL,
    email_key   TEXT NOT NULL,
    role        TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    used_at     BIGINT,
    revoked_at  BIGINT
);

CREATE TABLE limits (
    bucket TEXT PRIMARY KEY,
    tat    BIGINT NOT NULL
);
CREATE INDEX limits_tat ON limits (tat);

-- subject is what a request named an account by; it becomes a recipient when the mail is prepared.
-- secret holds the link of an invitation until its mail is sent or given up; no other mail's secret is ever at rest.
CREATE TABLE mails (
    id          TEXT PRIMARY KEY,
    kind        TEXT NOT NULL,
    state       TEXT NOT NULL,
    subject     TEXT,
    recipient   TEXT,
    user_id     TEXT,
    ticket_id   TEXT,
    detail      TEXT,
    secret      TEXT,
    attempts    BIGINT NOT NULL,
    due_at      BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    finished_at BIGINT,
    error       TEXT
);
CREATE INDEX mails_due ON mails (state, due_at);
CREATE INDEX mails_finished ON mails (finished_at);

-- No foreign key: what happened stays on record when an account goes.
CREATE TABLE audit (
    id         TEXT PRIMARY KEY,
    at         BIGINT NOT NULL,
    event      TEXT NOT NULL,
    outcome    TEXT NOT NULL,
    user_id    TEXT,
    actor      TEXT NOT NULL,
    dialect    TEXT NOT NULL,
    address    TEXT,
    peer       TEXT,
    user_agent TEXT,
    request_id TEXT NOT NULL,
    detail     TEXT
);
CREATE INDEX audit_user ON audit (user_id, id);
CREATE INDEX audit_event ON audit (event, id);
