-- Dissent and its withdrawal are both entries of the record; of each person the newest counts.
WITH entries_of AS (
    SELECT _file, _row, _extracted_on, nhs_number, snomed_ct AS code, code_term AS term, date AS entered FROM entries
    UNION ALL BY NAME
    SELECT _file, _row, _extracted_on, nhs_number, NULL AS code, code_term AS term, date AS entered FROM listed
    UNION ALL BY NAME
    SELECT _file, _row, _extracted_on, nhs_number, NULL AS code, NULL AS term, NULL AS entered FROM bare
),
told AS (
    SELECT *,
        regexp_replace(nhs_number, '[ -]', '', 'g') AS person,
        as_day(entered) AS entered_on,
        -- A spreadsheet writes the codes as 8.27241E+14 and 8.27261E+14. An entry that nobody knows counts as dissent.
        coalesce(regexp_matches(code, '^(827261000000102|8\.27261E\+?14|9Nu1(\.(00)?)?|XaZ8A)$'), FALSE)
            OR (code IS NULL AND coalesce(regexp_matches(lower(term), 'withdr'), FALSE)) AS is_withdrawal,
        -- Dissent from disclosure by the national body: turned into national data opt-outs in 2018.
        coalesce(regexp_matches(code, '^(881561000000100|881581000000109|8\.81561E\+?14|8\.81581E\+?14|9Nu[45](\.(00)?)?|XaaVL|XaaVM)$'), FALSE)
            AS is_type_2
    FROM entries_of
),
ordered AS (
    SELECT *,
        -- A dissent of unknown day counts as the newest, a withdrawal of unknown day as the oldest; on one day, dissent.
        row_number() OVER (
            PARTITION BY person, is_type_2
            ORDER BY coalesce(entered_on, CASE WHEN is_withdrawal THEN DATE '0001-01-01' ELSE DATE '9999-12-31' END) DESC,
                is_withdrawal, _file, _row
        ) AS place
    FROM told
)
SELECT
    _file,
    _row,
    person AS nhs_number,
    'type_1' AS kind,
    day(entered) AS from_on,
    _extracted_on AS checked_on,
    CASE
        WHEN is_type_2 THEN 'type 2: the national data opt-out took its place'
        WHEN is_withdrawal AND place = 1 THEN 'the newest entry of the person withdraws the opt-out'
        WHEN person IS NOT NULL AND place > 1 THEN 'an older entry of the same person'
    END AS _left_out
FROM ordered
