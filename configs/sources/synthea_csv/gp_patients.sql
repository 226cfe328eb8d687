WITH seen AS (
    SELECT patient, left(day(start), 10) AS day_seen FROM encounters
    UNION ALL SELECT patient, left(day(start), 10) FROM conditions
    UNION ALL SELECT patient, left(day(date), 10) FROM observations
),
first_seen AS (SELECT patient, min(day_seen) AS first_day FROM seen GROUP BY 1)
SELECT
    patients._file,
    patients._row,
    id AS nhs_number,
    birthdate AS birth_date,
    gender AS sex,
    race AS ethnic_group,
    -- There are no practices. Z stands at the head of no ODS code of a practice.
    'Z00000' AS practice_code,
    first_day AS registered_on,
    deathdate AS died_on,
    -- A death reaches records within days; two weeks are what CPRD's endings are given, too.
    day_text(as_day(deathdate) + 14) AS died_recorded_on,
    first_day AS recorded_on,
    CASE WHEN first_day IS NULL
         THEN 'not a single record: since when the person has been known is not told' END AS _left_out
FROM patients LEFT JOIN first_seen ON first_seen.patient = patients.id
