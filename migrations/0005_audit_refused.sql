-- What was refused, for counting: few rows in quiet times. The outcomes that are left out are those of a first factor that was right.
CREATE INDEX audit_refused ON audit (event, id) WHERE outcome <> 'ok' AND outcome <> 'second_factor_required';
