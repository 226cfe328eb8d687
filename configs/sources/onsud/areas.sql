-- A postcode that has ended stays: older records still carry it.
WITH places AS (
    SELECT _file, _row, whole_text(uprn) AS uprn, pcds, lsoa21cd AS lsoa21, FALSE AS is_postcode FROM homes
    UNION ALL BY NAME
    SELECT _file, _row, NULL AS uprn, pcds, lsoa21, TRUE AS is_postcode FROM postcodes
)
SELECT
    _file,
    _row,
    uprn,
    upper(pcds) AS postcode,
    upper(lsoa21) AS lsoa21,
    CASE
        WHEN uprn IS NULL AND NOT is_postcode THEN 'no UPRN'
        WHEN lsoa21 IS NULL THEN 'no area'
        -- Pseudo codes (E99999999) and the data zones of Scotland and Northern Ireland.
        WHEN NOT regexp_matches(upper(lsoa21), '^[EW]01[0-9]{6}$') THEN 'outside England and Wales'
    END AS _left_out
FROM places
