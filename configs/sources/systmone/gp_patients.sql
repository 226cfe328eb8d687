-- Extracts send what changed: of the rows with one RowIdentifier the newest counts, and one marked removed is gone.
-- Of a person's registrations the one that has not ended, then the newest, is theirs; the last home address is the home.
WITH people AS (
    SELECT *, lower(coalesce(max_by(removeddata, (_extracted_on, _file, _row)) OVER (PARTITION BY rowidentifier), '0'))
            NOT IN ('0', 'false') AS is_removed,
        (_extracted_on, _file, _row) = max((_extracted_on, _file, _row)) OVER (PARTITION BY rowidentifier) AS is_newest
    FROM patients
),
practices AS (
    SELECT rowidentifier, max_by(id, (_extracted_on, _file, _row)) AS ods_code FROM organisations GROUP BY 1
),
spells AS (
    SELECT idpatient, arg_max(struct_pack(
            practice := coalesce(idorganisationregisteredat, idorganisation),
            registered_on := day(dateregistration), left_on := day(datederegistration)
        ), (_extracted_on, _file, _row)) AS spell,
        max_by(lower(coalesce(removeddata, '0')), (_extracted_on, _file, _row)) AS removed,
        max_by(lower(coalesce(registrationstatus, 'gms')), (_extracted_on, _file, _row)) AS status
    FROM registrations GROUP BY idpatient, rowidentifier
),
registered AS (
    SELECT idpatient, arg_min(spell, (spell.left_on IS NOT NULL, -epoch(as_day(spell.registered_on)))) AS spell
    FROM spells
    WHERE removed IN ('0', 'false') AND regexp_matches(status, '(^|,)\s*(gms|standard|regular|applied|pre-registered)')
    GROUP BY 1
),
homes AS (
    SELECT idpatient, max_by(fullpostcode, (as_day(dateevent), _extracted_on, _file, _row)) AS postcode FROM addresses
    WHERE dateto IS NULL AND lower(coalesce(addresstype, 'home')) LIKE '%home%'
        AND lower(coalesce(removeddata, '0')) IN ('0', 'false')
    GROUP BY 1
),
ranked AS (
    SELECT people.*, spell, postcode, coalesce(ods_code, spell.practice) AS practice_code,
        row_number() OVER (
            PARTITION BY replace(nhsnumber, ' ', ''), is_newest AND NOT is_removed AND spell IS NOT NULL
            ORDER BY spell.left_on IS NOT NULL, spell.registered_on DESC, people._file, people._row
        ) AS nth,
        max(day(datedeath)) OVER (PARTITION BY replace(nhsnumber, ' ', '')) AS died
    FROM people
    LEFT JOIN registered ON registered.idpatient = people.rowidentifier
    LEFT JOIN homes ON homes.idpatient = people.rowidentifier
    LEFT JOIN practices ON practices.rowidentifier = spell.practice
)
SELECT
    _file,
    _row,
    nhsnumber AS nhs_number,
    day(datebirth) AS birth_date,
    gender AS sex,
    postcode,
    practice_code,
    spell.registered_on AS registered_on,
    spell.left_on AS left_on,
    CASE WHEN nhsnumber IS NULL THEN day(datedeath) ELSE died END AS died_on,
    -- A row is the record as it was on the day of the extract; since when it had been so is not told.
    _extracted_on AS recorded_on,
    CASE
        WHEN NOT is_newest THEN 'an earlier row of the patient'
        WHEN is_removed THEN 'removed'
        WHEN lower(coalesce(testpatient, '0')) NOT IN ('0', 'false') THEN 'a test patient'
        WHEN nhsnumber IS NULL THEN 'no NHS number'
        WHEN spell IS NULL THEN 'no regular registration in the extract'
        WHEN nth > 1 THEN 'the same person''s record at another practice'
    END AS _left_out
FROM ranked
