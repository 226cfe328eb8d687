-- Everybody on the list objected, whenever: the day an objection begins is not needed, and one unread day may not weaken it.
SELECT _file, _row, regexp_replace(nhs_number, '[ -]', '', 'g') AS nhs_number, 'objection' AS kind,
    _extracted_on AS checked_on
FROM bare
UNION ALL BY NAME
SELECT _file, _row, regexp_replace(nhs_number, '[ -]', '', 'g') AS nhs_number, 'objection' AS kind,
    _extracted_on AS checked_on
FROM headed
