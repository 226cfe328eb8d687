-- A home has a certificate for each sale, letting or works: all are kept, and each fact counts from its own day.
WITH told AS (
    SELECT *,
        -- The register's own export writes UPRN-000100070000000, and once put it under BUILDING_REFERENCE_NUMBER.
        whole_text(regexp_replace(
            coalesce(uprn, CASE WHEN building_reference_number LIKE 'UPRN-%' THEN building_reference_number END),
            '^(UPRN-)?0*', ''
        )) AS place,
        lower(regexp_replace(trim(floor_level), '\s+', ' ', 'g')) AS level
    FROM certificates
)
SELECT
    _file,
    _row,
    place AS uprn,
    'epc' AS source,
    -- "Not defined - use in the case of a new dwelling ...": the register cuts this sentence at different lengths.
    CASE WHEN lower(tenure) LIKE 'not defined%' THEN 'unknown' ELSE tenure END AS tenure,
    property_type,
    CASE
        WHEN level IN ('nodata!', 'no data!', 'no data', 'invalid!', 'n/a', 'not recorded', 'null', 'unknown') THEN NULL
        -- The newer layout gives the code of the survey here, not a floor (schema RdSAP: basement, ground, mid, top).
        WHEN certificate_number IS NOT NULL AND level = '0' THEN '-1'
        WHEN certificate_number IS NOT NULL AND level = '1' THEN '0'
        WHEN certificate_number IS NOT NULL AND level IN ('2', '3') THEN '1'
        WHEN regexp_matches(level, '^(lower ground|basement)') THEN '-1'
        WHEN regexp_matches(level, '^ground') THEN '0'
        -- A flat on a middle or top floor lies above the ground: on the first floor at least.
        WHEN regexp_matches(level, '^(mid|middle|top|upper)([- ]?(floor|storey))?$') THEN '1'
        WHEN regexp_matches(level, '^-?[0-9]+(\.0+)?$') THEN CAST(CAST(CAST(level AS DOUBLE) AS INTEGER) AS VARCHAR)
        -- 1st, 2nd, 20+, 21st or above
        WHEN regexp_matches(level, '^[0-9]{1,2}(st|nd|rd|th)?( floor)?( ?\+| or above| and above)?$')
            THEN CAST(CAST(regexp_extract(level, '^[0-9]+') AS INTEGER) AS VARCHAR)
        ELSE floor_level
    END AS lowest_floor,
    current_energy_rating AS epc_rating,
    day(inspection_date) AS epc_inspected_on,
    main_fuel,
    -- The register knows a certificate from the day it is lodged.
    day(lodgement_date) AS recorded_on,
    CASE WHEN place IS NULL OR place = '' THEN 'no UPRN' END AS _left_out
FROM told
