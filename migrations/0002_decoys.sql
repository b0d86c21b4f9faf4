-- A row's place among the decoys: 128 random bits in hexadecimal digits. A name that nobody has is compared at the cost of the row whose
-- place is next to the name's. NULL in rows from before this column, until the server has filled it in.
ALTER TABLE passwords ADD COLUMN decoy_key TEXT;
CREATE INDEX passwords_decoy ON passwords (decoy_key) WHERE decoy_key IS NOT NULL;
CREATE INDEX passwords_without_decoy_key ON passwords (user_id) WHERE decoy_key IS NULL;

-- What all nodes share and no restart may change. Made by the first that opens the database.
CREATE TABLE server_secrets (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
