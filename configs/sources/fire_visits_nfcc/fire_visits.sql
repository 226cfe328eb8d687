-- A vulnerability that is ticked is a yes. One that is not ticked was not asked in so many words: it stays unknown.
-- `ticks` holds each tick between two semicolons, in small letters: "; mobility; home oxygen;".
WITH told AS (
    SELECT *,
        '; ' || regexp_replace(lower(coalesce(vulnerabilities, '')), '\s*[;,|/\r\n]+\s*', '; ', 'g') || ';' AS ticks,
        try_cast(number_of_occupants AS DOUBLE) AS n_people
    FROM visits
)
SELECT
    _file,
    _row,
    whole_text(uprn) AS uprn,
    day(visit_date) AS visited_on,
    outcome AS visit_outcome,
    referral_agency AS referral_source,
    -- A visit is known from the day after it where the export does not say when it was entered.
    coalesce(day(date_entered), day_text(as_day(visit_date) + 1), day(visit_date)) AS recorded_on,
    coalesce(
        lives_alone,
        CASE WHEN regexp_matches(ticks, '; (lives|living|live) alone') THEN 'yes' END,
        CASE WHEN n_people = 1 THEN 'yes' WHEN n_people > 1 THEN 'no' END
    ) AS lives_alone,
    coalesce(
        working_smoke_alarm_on_arrival,
        CASE WHEN regexp_matches(ticks, '; (no|without)( working)?( smoke)? alarms?') THEN 'no' END
    ) AS smoke_alarm_working,
    CASE WHEN try_cast(smokers_in_household AS INTEGER) > 0 THEN 'yes'
         WHEN try_cast(smokers_in_household AS INTEGER) = 0 THEN 'no'
         WHEN smokers_in_household IS NULL AND regexp_matches(ticks, '; (heavy |current )?(smoker|smoking|smokes|cigarette|tobacco)') THEN 'yes'
         ELSE smokers_in_household END AS smoker,
    coalesce(home_oxygen, CASE WHEN regexp_matches(ticks, '; [a-z ]*oxygen') THEN 'yes' END) AS home_oxygen,
    coalesce(emollients, CASE WHEN regexp_matches(ticks, '; [a-z ]*(emollient|paraffin)') THEN 'yes' END) AS emollient,
    coalesce(airflow_mattress, CASE WHEN regexp_matches(ticks, '; [a-z ]*air[ -]?(flow)?[a-z ]*mattress|; [a-z ]*(airflow|pressure mattress)')
        THEN 'yes' END) AS airflow_mattress,
    coalesce(electric_blanket, CASE WHEN regexp_matches(ticks, '; [a-z ]*electric blanket') THEN 'yes' END) AS electric_blanket,
    coalesce(portable_heater, CASE WHEN regexp_matches(ticks, '; [a-z ]*portable heat') THEN 'yes' END) AS portable_heater,
    coalesce(cooking_concern, CASE WHEN regexp_matches(ticks, '; [a-z ]*cooking') THEN 'yes' END) AS cooking_concern,
    coalesce(alcohol_concern, CASE WHEN regexp_matches(ticks, '; [a-z ]*alcohol') THEN 'yes' END) AS alcohol_concern,
    coalesce(telecare, CASE WHEN regexp_matches(ticks, '; (telecare|lifeline|pendant|care ?line|care alarm)') THEN 'yes' END) AS telecare,
    fire_in_last_year,
    coalesce(sensory_impairment, CASE WHEN regexp_matches(ticks, '; [a-z ]*(hearing|sight|visual|vision|sensory|deaf|blind)') THEN 'yes' END)
        AS sensory_impairment,
    coalesce(memory_concern, CASE WHEN regexp_matches(ticks, '; [a-z ]*(dementia|memory|alzheimer|cognitive)') THEN 'yes' END)
        AS memory_concern,
    coalesce(
        -- CIR 5, 5/9, Level 5
        nullif(regexp_extract(clutter_rating, '^[^0-9]*([1-9])( */ *9)?$', 1), ''), clutter_rating,
        nullif(regexp_extract(ticks, '(?:cir|clutter|hoarding)[a-z ():-]*([1-9])', 1), '')
    ) AS clutter_rating,
    mobility,
    care_and_support AS care_support,
    CASE WHEN uprn IS NULL OR regexp_matches(whole_text(uprn), '^0*$') THEN 'no UPRN' END AS _left_out
FROM told
