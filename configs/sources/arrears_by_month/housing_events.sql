-- A balance is no letter. A letter is one that has a day, or that the stage of recovery tells of.
WITH balances AS (
    UNPIVOT (SELECT _file, _row, COLUMNS('^((rent_)?(arrears|balance|bal)_(at_)?)?((jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*_?(20)?[0-9]{2}|20[0-9]{2}_[01][0-9].*|[01][0-9]_20[0-9]{2})$') FROM accounts)
    ON COLUMNS(* EXCLUDE (_file, _row)) INTO NAME heading VALUE balance
),
in_arrears AS (
    SELECT _file, _row, max(last_day(
        CASE WHEN regexp_matches(heading, '(^|_)(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)')
            THEN strptime('1 ' || regexp_extract(heading, '(^|_)((jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec))', 2)
                || ' 20' || right(heading, 2), '%d %b %Y')
            ELSE strptime(coalesce(
                nullif(regexp_extract(heading, '(20[0-9]{2}_[01][0-9])', 1), ''),
                right(heading, 4) || '_' || regexp_extract(heading, '([01][0-9])_20[0-9]{2}$', 1)
            ) || '_01', '%Y_%m_%d')
        END::DATE
    )) AS month_end
    FROM balances
    WHERE try_cast(regexp_replace(balance, '[£, ]', '', 'g') AS DOUBLE) > 0
    GROUP BY _file, _row
),
told AS (
    SELECT accounts.*, month_end,
        regexp_matches(lower(arrears_stage), '^(ltr|let|lt|l)[ _-]?[0-9]|letter|nosp|nsp|notice|pre[- ]?action|court|warrant|evict|possession|order')
            AND NOT regexp_matches(lower(arrears_stage), '(^|[^a-z])no (letter|action)|not sent|before letter') AS is_letter
    FROM accounts LEFT JOIN in_arrears USING (_file, _row)
),
letters AS (
    SELECT *, unnest([
        day(letter_1_date), day(letter_2_date), day(letter_3_date), day(nosp_date),
        -- A stage has no day. The last month in arrears is as late as a letter can be placed, and never after the extract.
        CASE WHEN coalesce(is_letter, FALSE) AND coalesce(letter_1_date, letter_2_date, letter_3_date, nosp_date) IS NULL
            THEN day_text(least(coalesce(month_end, _extracted_on::DATE), _extracted_on::DATE)) END,
        CASE WHEN NOT coalesce(is_letter, FALSE)
            AND coalesce(letter_1_date, letter_2_date, letter_3_date, nosp_date) IS NULL THEN 'none' END
    ]) AS sent_on
    FROM told
)
SELECT
    _file,
    _row,
    whole_text(uprn) AS uprn,
    tenancy_ref AS case_id,
    'arrears_letter' AS event_type,
    sent_on AS happened_on,
    -- The stage of the account is known from this extract on; a letter with a day from that day on.
    CASE WHEN coalesce(letter_1_date, letter_2_date, letter_3_date, nosp_date) IS NULL THEN _extracted_on ELSE sent_on END
        AS recorded_on,
    CASE
        WHEN uprn IS NULL OR whole_text(uprn) = '0' THEN 'no UPRN'
        WHEN sent_on = 'none' AND arrears_stage IS NULL THEN 'no letter about arrears'
        WHEN sent_on = 'none' THEN 'a stage of recovery that tells of no letter'
    END AS _left_out
FROM letters
WHERE sent_on IS NOT NULL
