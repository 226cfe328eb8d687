WITH seen AS (
    SELECT whole_text(person_id) AS person, day(condition_start_date) AS day_seen FROM conditions
    UNION ALL SELECT whole_text(person_id), day(observation_date) FROM observations
    UNION ALL SELECT whole_text(person_id), day(drug_exposure_start_date) FROM drugs
    UNION ALL SELECT whole_text(person_id), day(visit_start_date) FROM visits
),
first_seen AS (SELECT person, min(day_seen) AS first_day FROM seen GROUP BY 1),
observed AS (
    SELECT whole_text(person_id) AS person, min(day(observation_period_start_date)) AS first_day,
        max(day(observation_period_end_date)) AS last_day
    FROM periods GROUP BY 1
),
died AS (
    SELECT whole_text(person_id) AS person,
        min(coalesce(day(death_date), day(death_datetime))) AS day_told
    FROM deaths GROUP BY 1
),
told AS (
    SELECT persons.*, coalesce(observed.first_day, first_seen.first_day) AS first_day, observed.last_day,
        max(as_day(observed.last_day)) OVER () AS newest_day,
        -- Somebody wrote of a death, be its day told or not: a text that is no day holds the person.
        CASE WHEN died.person IS NOT NULL THEN coalesce(died.day_told, 'a death without a day')
             ELSE day(death_datetime) END AS died_on,
        care_site_source_value AS site, zip, location_source_value AS place
    FROM persons
    LEFT JOIN observed ON observed.person = whole_text(persons.person_id)
    LEFT JOIN first_seen ON first_seen.person = whole_text(persons.person_id)
    LEFT JOIN died ON died.person = whole_text(persons.person_id)
    LEFT JOIN (SELECT DISTINCT ON (care_site_id) * FROM sites ORDER BY _file, _row) AS known
        ON whole_text(known.care_site_id) = whole_text(persons.care_site_id)
    LEFT JOIN (SELECT DISTINCT ON (location_id) * FROM places ORDER BY _file, _row) AS homes
        ON whole_text(homes.location_id) = whole_text(persons.location_id)
)
SELECT
    _file,
    _row,
    whole_text(person_id) AS nhs_number,
    -- Where the month is not told: July, the middle of the year, is wrong by six months at most.
    CASE WHEN whole_text(month_of_birth) IS NOT NULL
         THEN concat_ws('-', whole_text(year_of_birth), lpad(whole_text(month_of_birth), 2, '0'), '01')
         WHEN birth_datetime IS NOT NULL THEN month_of(birth_datetime)
         ELSE whole_text(year_of_birth) || '-07-01' END AS birth_month,
    coalesce(whole_text(gender_concept_id), '0') AS sex,
    coalesce(whole_text(race_concept_id), '0') AS ethnic_group,
    CASE WHEN regexp_matches(upper(place), '^[EW]01[0-9]{6}$') THEN upper(place) END AS lsoa21,
    CASE WHEN regexp_matches(upper(zip), '^[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2}$') THEN zip END AS postcode,
    -- Sites carry numbers of the database's own where no ODS code is told; Z stands at the head of no practice's code,
    -- and Z00000 is a practice that is not told.
    CASE WHEN regexp_matches(upper(site), '^[A-Z][0-9]{5}$') THEN upper(site)
         WHEN care_site_id IS NULL THEN 'Z00000'
         ELSE 'Z' || right(lpad(whole_text(care_site_id), 5, '0'), 5) END AS practice_code,
    first_day AS registered_on,
    -- A period ends with the last record where registrations are not known. More than a year before the newest end of
    -- all, nothing speaks for the person's being there; a shorter silence is none.
    CASE WHEN died_on IS NULL AND as_day(last_day) < newest_day - INTERVAL 365 DAY THEN last_day END AS left_on,
    died_on,
    -- A death reaches records within days; two weeks are what CPRD's endings are given, too.
    day_text(as_day(died_on) + 14) AS died_recorded_on,
    -- The model keeps no versions: what the row tells besides its endings was known from the first day.
    first_day AS recorded_on,
    CASE WHEN first_day IS NULL
         THEN 'neither a period of observation nor a record: since when the person has been known is not told'
    END AS _left_out
FROM told
