-- Where no UPRN is told, a care home is the one home of its postcode; where the postcode has several, it is left out.
WITH places AS (
    SELECT upper(replace(postcode, ' ', '')) AS postcode, min(uprn) AS the_uprn, count(DISTINCT uprn) AS n_homes
    FROM areas
    WHERE uprn IS NOT NULL
    GROUP BY ALL
),
registered AS (
    SELECT _file, _row, _extracted_on, location_postal_code AS postcode,
        nullif(regexp_replace(whole_text(location_uprn_id), '^0+|^[-*]$', ''), '') AS told,
        lower(care_home) IN ('y', 'yes', 'true') AS is_care_home,
        day(location_hsca_start_date) AS since, location_hsca_end_date AS ended
    FROM locations
    UNION ALL BY NAME
    SELECT _file, _row, _extracted_on, postcode, NULL AS told,
        regexp_matches(lower(service_types), 'nursing home|residential home|care home') AS is_care_home, NULL AS since, NULL AS ended
    FROM directory
),
placed AS (
    SELECT registered.*,
        coalesce(told, CASE WHEN n_homes = 1 THEN the_uprn END) AS uprn,
        CASE
            WHEN NOT coalesce(is_care_home, FALSE) THEN 'no care home'
            WHEN ended IS NOT NULL AND ended NOT IN ('-', '*') THEN 'the registration has ended'
            WHEN told IS NULL AND n_homes > 1 THEN 'no UPRN, and several homes at the postcode'
            WHEN told IS NULL AND n_homes IS NULL THEN 'no UPRN, and no home known at the postcode'
        END AS reason
    FROM registered LEFT JOIN places ON upper(replace(registered.postcode, ' ', '')) = places.postcode
)
SELECT
    _file,
    _row,
    uprn,
    -- The register of care homes is one of the sources that the contract knows.
    'care_register' AS source,
    'care_home' AS property_type,
    -- Known since it was registered, and again by this extract: a certificate lodged since then may call it a house.
    unnest(CASE WHEN reason IS NULL THEN list_distinct([coalesce(since, _extracted_on), _extracted_on]) ELSE [_extracted_on] END)
        AS recorded_on,
    reason AS _left_out
FROM placed
