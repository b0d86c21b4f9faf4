-- The oldest schema whose release can work with the result of a step. NULL in rows from before this column: nobody has said.
ALTER TABLE schema_migrations ADD COLUMN compatible_from BIGINT;
