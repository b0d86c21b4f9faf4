-- Whether the key can sign its user in by itself: 1 if it is discoverable and verified its user when it was registered, 0 if it is not or did
-- not, NULL while that is not known: clients need not tell, and rows from before this column do not.
ALTER TABLE security_keys ADD COLUMN passkey BIGINT;

-- 1 if the session's key verified its user. A release from before this column reads such a session as one of a key alone.
ALTER TABLE sessions ADD COLUMN user_verified BIGINT NOT NULL DEFAULT 0;

-- Tickets that are out before it is known whose they are. One that is spent is deleted.
CREATE TABLE unbound_tickets (
    purpose     TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    payload     TEXT,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    PRIMARY KEY (purpose, secret_hash)
);
CREATE INDEX unbound_tickets_expiry ON unbound_tickets (expires_at);
