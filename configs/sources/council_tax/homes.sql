-- A discount of a quarter is given where one adult counts. Where that is so because others are disregarded (carers,
-- students, people with severe mental impairment), others live there: the answer is then unknown. An empty cell is no no.
WITH both_kinds AS (
    SELECT _file, _row, _extracted_on, uprn, discount_type, discount, discount_end, exemption, account_status FROM accounts
    UNION ALL BY NAME
    SELECT _file, _row, _extracted_on, uprn, NULL AS discount_type, discount, discount_end, exemption, account_status FROM plain
),
told AS (
    SELECT *,
        lower(coalesce(discount_type, discount)) AS words,
        try_cast(regexp_replace(
            coalesce(discount, nullif(regexp_extract(discount_type, '^[0-9.]+$|[0-9.]+ *%'), '')), '[% ]', '', 'g') AS DOUBLE) AS share,
        as_day(discount_end) < _extracted_on::DATE AS is_over
    FROM both_kinds
),
read AS (
    SELECT *,
        regexp_matches(words, 'disreg|student|carer|smi\b|severe|mental|apprentice|dis[0-9]|empty|second home|premium|annexe|job|hospital|prison|uninhab|disab|band red')
            AS is_other,
        regexp_matches(words, 'single|sole|\bspd\b|\bspd[0-9]*|\bsad\b|\bsod\b|one adult|1 adult|living alone|lives alone|^(y|yes|true|1)$') AS is_single
    FROM told
)
SELECT
    _file,
    _row,
    whole_text(uprn) AS uprn,
    'council_tax' AS source,
    CASE
        WHEN words IS NULL AND share IS NULL THEN 'unknown'
        WHEN is_other THEN 'unknown'
        WHEN is_single AND share NOT IN (25, 0.25) THEN 'unknown'
        WHEN is_single THEN CASE WHEN is_over THEN 'no' ELSE 'yes' END
        WHEN share IN (25, 0.25) AND coalesce(regexp_matches(words, '^[0-9. %]+$'), TRUE)
            THEN CASE WHEN is_over THEN 'no' ELSE 'yes' END
        WHEN regexp_matches(words, '^(n|no|none|nil|false|no discount|full charge|not applicable)$') THEN 'no'
        WHEN share = 0 THEN 'no'
        ELSE 'unknown'
    END AS single_adult_discount,
    -- Discounts are given for days that are past: what is certain is that the council knows it now.
    _extracted_on AS recorded_on,
    CASE
        WHEN uprn IS NULL OR whole_text(uprn) = '0' THEN 'no UPRN'
        -- Classes of exemption: most are homes where nobody lives, or nobody whom the tax counts.
        WHEN NOT regexp_matches(lower(exemption), '^(n/?a|none|no|nil|0|false|-)$') THEN 'exempt from council tax'
        WHEN regexp_matches(lower(account_status), 'empty|vacant|void|closed|ended|unoccupied|second home|^(n|no|false)$') THEN 'empty, or an account that has ended'
    END AS _left_out
FROM read
