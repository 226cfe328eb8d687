-- The list sent and the list returned look alike. Taken for the list returned, the list sent would let everybody
-- through who opted out. So a list counts as returned only by its name, or as the smaller part of the one list beside it.
WITH numbers AS (
    SELECT _file, _row, _extracted_on, regexp_replace(nhs_number, '[^0-9]', '', 'g') AS nhs_number FROM lists
),
sets AS (SELECT DISTINCT _file, nhs_number FROM numbers),
named AS (
    SELECT
        _file,
        min(_extracted_on) AS checked_on,
        regexp_matches(lower(_file), 'return|received|response|reply') AS is_back,
        regexp_matches(lower(_file), 'sent|request|submi|upload|outgoing|to_check|to_be_checked') AS is_sent,
        -- Who was taken out: worked out by somebody, for the service never gives this list.
        regexp_matches(lower(_file), '(^|[^a-z])(not?|no_longer|un)[^a-z]|removed|excluded|opted|difference|missing') AS is_other
    FROM numbers
    GROUP BY _file
),
-- Of each two lists: how many numbers they have, and how many both have.
pairs AS (
    SELECT one._file, other._file AS beside,
        (SELECT count(*) FROM sets WHERE sets._file = one._file) AS n_one,
        (SELECT count(*) FROM sets WHERE sets._file = other._file) AS n_other,
        (SELECT count(*) FROM sets AS a JOIN sets AS b USING (nhs_number)
            WHERE a._file = one._file AND b._file = other._file) AS n_both
    FROM named AS one JOIN named AS other ON one._file <> other._file
),
-- Told by what they hold only where there are two lists and one is the greater part of the other: about one in twenty
-- people has opted out, so a small part would be those who did.
held AS (
    SELECT _file,
        n_both = n_one AND n_one < n_other AND 2 * n_one > n_other AS is_part,
        n_both = n_other AND n_other < n_one AND 2 * n_other > n_one AS is_whole
    FROM pairs
    -- Of two days, both may have been sent: people joined the register meanwhile.
    WHERE (SELECT count(*) = 2 AND count(DISTINCT checked_on) = 1 FROM named)
),
told AS (
    SELECT _file, checked_on, is_other,
        coalesce(is_back, FALSE) OR coalesce(is_part, FALSE) AS says_returned,
        coalesce(is_sent, FALSE) OR coalesce(is_whole, FALSE) AS says_sent
    FROM named LEFT JOIN held USING (_file)
),
fault AS (
    SELECT CASE
        WHEN (SELECT bool_or(is_other) FROM told)
            THEN 'by its name, a list holds the people who were taken out: put the list there that the national check '
                || 'returned, as it came'
        WHEN (SELECT count(DISTINCT checked_on) > 1 FROM told WHERE says_returned)
            THEN 'there are lists of more than one national check: leave the newest alone'
        WHEN (SELECT bool_or(says_returned AND says_sent) FROM told)
            THEN 'a list is sent by its name and returned by its numbers, or the other way round: look which is which, '
                || 'and write sent or returned in the names of the files'
        WHEN (SELECT bool_or(NOT says_returned AND NOT says_sent) FROM told)
            THEN 'it is not known whether a list of NHS numbers was sent to the national check or returned by it: '
                || 'write sent or returned in the names of the files'
        WHEN (SELECT NOT bool_or(says_returned) FROM told)
            THEN 'only the list that was sent to the national check is here: put the list that was returned beside it, '
                || 'with returned in its name'
        WHEN (SELECT bool_or(says_sent) FROM told) AND EXISTS (
            SELECT nhs_number FROM sets JOIN told USING (_file) WHERE says_returned
            EXCEPT
            SELECT nhs_number FROM sets JOIN told USING (_file) WHERE says_sent
        )
            THEN 'the list returned holds numbers that the list sent does not: they are not of one national check'
        WHEN (SELECT bool_or(says_sent) FROM told) AND (
            SELECT 2 * count(DISTINCT nhs_number) FILTER (says_returned) <= count(DISTINCT nhs_number) FILTER (says_sent)
            FROM sets JOIN told USING (_file)
        )
            THEN 'the list returned holds less than half of the list sent: look whether it is the list of those who may '
                || 'be used'
    END AS sentence
)
SELECT
    numbers._file,
    numbers._row,
    numbers.nhs_number,
    CASE WHEN fault.sentence IS NULL THEN 'national_allowed' ELSE error('profile: ' || fault.sentence) END AS kind,
    numbers._extracted_on AS checked_on,
    CASE WHEN NOT told.says_returned THEN 'the list that was sent: only the list returned says who may be used' END
        AS _left_out
FROM numbers JOIN told USING (_file) CROSS JOIN fault
