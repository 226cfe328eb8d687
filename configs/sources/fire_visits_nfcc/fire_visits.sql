-- A vulnerability that is ticked is a yes. One that is not ticked was not asked in so many words: it stays unknown.
WITH told AS (
    SELECT *, lower(coalesce(vulnerabilities, '')) AS ticked,
        regexp_extract(lower(coalesce(vulnerabilities, '')), 'cir\s*([1-9])', 1) AS clutter_ticked
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
    lives_alone,
    working_smoke_alarm_on_arrival AS smoke_alarm_working,
    CASE WHEN try_cast(smokers_in_household AS INTEGER) > 0 THEN 'yes'
         WHEN try_cast(smokers_in_household AS INTEGER) = 0 THEN 'no'
         ELSE smokers_in_household END AS smoker,
    coalesce(home_oxygen, CASE WHEN ticked LIKE '%oxygen%' THEN 'yes' END) AS home_oxygen,
    coalesce(emollients, CASE WHEN ticked LIKE '%emollient%' THEN 'yes' END) AS emollient,
    coalesce(airflow_mattress, CASE WHEN ticked LIKE '%airflow%' THEN 'yes' END) AS airflow_mattress,
    electric_blanket,
    portable_heater,
    cooking_concern,
    coalesce(alcohol_concern, CASE WHEN ticked LIKE '%alcohol%' THEN 'yes' END) AS alcohol_concern,
    telecare,
    fire_in_last_year,
    coalesce(sensory_impairment, CASE WHEN regexp_matches(ticked, 'hearing|sight|visual|sensory|deaf|blind') THEN 'yes' END)
        AS sensory_impairment,
    coalesce(memory_concern, CASE WHEN regexp_matches(ticked, 'dementia|memory') THEN 'yes' END) AS memory_concern,
    coalesce(clutter_rating, nullif(clutter_ticked, '')) AS clutter_rating,
    mobility,
    care_and_support AS care_support,
    CASE WHEN uprn IS NULL THEN 'no UPRN' END AS _left_out
FROM told
