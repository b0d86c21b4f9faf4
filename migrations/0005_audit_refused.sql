-- What was refused, for counting: few rows in quiet times. The outcomes that are left out are those of a first factor that was right.
-- It may be there: an operator with a long log makes it beforehand, so that no write waits (docs/operations/cluster.md).
CREATE INDEX IF NOT EXISTS audit_refused ON audit (event, id) WHERE outcome <> 'ok' AND outcome <> 'second_factor_required';
