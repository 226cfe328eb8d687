-- People are told by NHS numbers where these are sent; then nobody without one is taken. Else by the resources' own ids.
WITH mode AS (
    SELECT bool_or(regexp_matches(document, 'fhir\.nhs\.(uk|net)/Id/nhs-number', 'i')) AS has_numbers FROM resources
),
sent AS (
    SELECT *, json_extract_string(document, '$.id') AS id,
        -- Searches page by page give a resource twice; its newest version counts.
        row_number() OVER (
            PARTITION BY resourcetype, coalesce(json_extract_string(document, '$.id'), _file || ' ' || _row)
            ORDER BY coalesce(json_extract_string(document, '$.meta.lastUpdated'), '') DESC, _file, _row
        ) AS nth
    FROM resources
),
seen AS (
    SELECT regexp_replace(regexp_replace(json_extract_string(document, '$.subject.reference'), '/_history/.*$', ''), '^.*[/:]', '') AS id,
        left(coalesce(
            json_extract_string(document, '$.onsetDateTime'), json_extract_string(document, '$.recordedDate'),
            json_extract_string(document, '$.effectiveDateTime'), json_extract_string(document, '$.issued'),
            json_extract_string(document, '$.authoredOn'), json_extract_string(document, '$.period.start')
        ), 10) AS day_seen
    FROM resources WHERE resourcetype IN ('Condition', 'Observation', 'MedicationRequest', 'Encounter')
),
first_seen AS (
    SELECT id, min(CASE length(day_seen) WHEN 4 THEN day_seen || '-01-01' WHEN 7 THEN day_seen || '-01' ELSE day_seen END) AS first_day
    FROM seen GROUP BY 1
),
practices AS (
    SELECT id, json_extract_string(list_filter(json_extract(document, '$.identifier[*]'),
        lambda each: lower(json_extract_string(each, '$.system')) LIKE '%ods-organization-code')[1], '$.value') AS ods_code
    FROM sent WHERE resourcetype = 'Organization' AND nth = 1
),
patients AS (
    SELECT *,
        json_extract_string(list_filter(json_extract(document, '$.identifier[*]'), lambda each:
            regexp_matches(json_extract_string(each, '$.system'), 'fhir\.nhs\.(uk|net)/Id/nhs-number', 'i')
            AND coalesce(json_extract_string(each, '$.use'), '') <> 'old')[1], '$.value') AS number,
        json_extract_string(document, '$.birthDate') AS born,
        list_filter(json_extract(document, '$.address[*]'), lambda each:
            coalesce(json_extract_string(each, '$.use'), 'home') IN ('home', 'billing')
            AND json_extract_string(each, '$.period.end') IS NULL)[1] AS home,
        json_extract(document, '$.generalPractitioner[0]') AS gp,
        list_filter(json_extract(document, '$.extension[*]'), lambda each:
            json_extract_string(each, '$.url') LIKE '%EthnicCategory%'
            OR json_extract_string(each, '$.url') LIKE '%us-core-race')[1] AS group_told,
        left(json_extract_string(document, '$.deceasedDateTime'), 10) AS death
    FROM sent WHERE resourcetype = 'Patient'
),
told AS (
    SELECT patients.*, has_numbers,
        -- A part of a day that is not told is the first. A death without any is a text that is no day: it holds the person.
        CASE WHEN length(death) = 4 THEN death || '-01-01' WHEN length(death) = 7 THEN death || '-01'
             WHEN death IS NOT NULL THEN death
             WHEN json_extract_string(document, '$.deceasedBoolean') = 'true' THEN 'a death without a day' END AS died_on,
        coalesce(left(json_extract_string(gp, '$.identifier.period.start'), 10), first_day) AS known_from,
        coalesce(
            CASE WHEN lower(json_extract_string(gp, '$.identifier.system')) LIKE '%ods-organization-code'
                 THEN json_extract_string(gp, '$.identifier.value') END,
            by_gp.ods_code,
            json_extract_string(document, '$.managingOrganization.identifier.value'),
            by_manager.ods_code,
            -- Z stands at the head of no practice's code: a practice that is not told.
            CASE WHEN NOT has_numbers THEN 'Z00000' END
        ) AS practice
    FROM patients CROSS JOIN mode
    LEFT JOIN first_seen ON first_seen.id = patients.id
    LEFT JOIN practices AS by_gp ON by_gp.id = regexp_replace(json_extract_string(gp, '$.reference'), '^.*[/:]', '')
    LEFT JOIN practices AS by_manager
        ON by_manager.id = regexp_replace(json_extract_string(document, '$.managingOrganization.reference'), '^.*[/:]', '')
)
SELECT
    _file,
    _row,
    CASE WHEN has_numbers THEN 'nhs_number' ELSE 'own' END AS _ids,
    CASE WHEN has_numbers THEN number ELSE id END AS nhs_number,
    json_extract_string(list_filter(json_extract(list_filter(json_extract(home, '$.extension[*]'), lambda each:
        json_extract_string(each, '$.url') LIKE '%AddressKey' AND contains(each::VARCHAR, '"UPRN"'))[1],
        '$.extension[*]'), lambda part: json_extract_string(part, '$.url') = 'value')[1], '$.valueString') AS uprn,
    -- Of a year alone, July: wrong by six months at most.
    CASE length(born) WHEN 4 THEN born || '-07-01' ELSE left(born, 7) || '-01' END AS birth_month,
    json_extract_string(document, '$.gender') AS sex,
    CASE WHEN contains(group_told::VARCHAR, 'us-core-race') THEN json_extract_string(group_told, '$.extension[0].valueCoding.code')
         ELSE upper(left(json_extract_string(group_told, '$.valueCodeableConcept.coding[0].code'), 1)) END AS ethnic_group,
    CASE WHEN regexp_matches(upper(json_extract_string(home, '$.postalCode')), '^[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2}$')
         THEN json_extract_string(home, '$.postalCode') END AS postcode,
    practice AS practice_code,
    known_from AS registered_on,
    left(json_extract_string(gp, '$.identifier.period.end'), 10) AS left_on,
    died_on,
    -- A death reaches records within days; two weeks are what CPRD's endings are given, too.
    day_text(as_day(died_on) + 14) AS died_recorded_on,
    known_from AS recorded_on,
    CASE WHEN nth > 1 THEN 'sent twice, or an earlier version'
         WHEN json_extract_string(document, '$.active') = 'false' THEN 'a record that is no longer in use'
         WHEN contains(coalesce(json_extract(document, '$.link')::VARCHAR, ''), '"replaced-by"') THEN 'a record that another takes the place of'
         WHEN has_numbers AND number IS NULL THEN 'no NHS number'
         WHEN known_from IS NULL THEN 'neither a day of registration nor a record: since when the person has been known is not told'
    END AS _left_out
FROM told
