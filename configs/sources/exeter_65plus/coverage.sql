-- Who should be on the register: no table is made of it.
WITH people AS (
    SELECT _file, _row, nhs_number FROM addresses
    UNION ALL BY NAME
    SELECT _file, _row, nhs_number FROM persons
)
SELECT
    _file,
    _row,
    regexp_replace(nhs_number, '[ -]', '', 'g') AS nhs_number,
    CASE WHEN nhs_number IS NULL THEN 'no NHS number' END AS _left_out
FROM people
