-- Bands A to C are category 1, D to J category 2 (Housing Act 2004, section 2).
WITH told AS (
    SELECT *,
        regexp_extract(upper(coalesce(category, '')), '^ *(?:HHSRS *)?(?:CATEGORY|CAT|CLASS)?[ .:-]*([12]|ONE|TWO|II|I)\b', 1) AS number,
        regexp_extract(upper(coalesce(band, category, '')), '^ *(?:BAND)?[ .:-]*([A-J])\b', 1) AS letter
    FROM hazards
)
SELECT
    _file,
    _row,
    whole_text(uprn) AS uprn,
    case_ref AS case_id,
    'hazard_found' AS event_type,
    -- "12 - Entry by intruders": the number of the hazard in the guidance is not part of its name.
    regexp_replace(hazard, '^ *(HHSRS *)?[0-9]{1,2} *[.):–-]* *', '') AS hazard,
    CASE
        WHEN number IN ('1', 'ONE', 'I') THEN '1'
        WHEN number IN ('2', 'TWO', 'II') THEN '2'
        WHEN letter IN ('A', 'B', 'C') THEN '1'
        WHEN letter <> '' THEN '2'
        ELSE category
    END AS category,
    day(inspection_date) AS happened_on,
    -- An inspection is the council's own act: without a day of entry it is known from the day after.
    coalesce(day(date_entered), day_text(as_day(inspection_date) + 1), day(inspection_date)) AS recorded_on,
    CASE
        WHEN uprn IS NULL OR whole_text(uprn) = '0' THEN 'no UPRN'
        WHEN regexp_matches(lower(coalesce(hazard, '')), '^ *(no hazards?.*|none.*|nil|n/?a|no)?$')
            OR regexp_matches(lower(category), '^ *(none|no|nil|n/?a|no hazard.*|0|not a hazard)$') THEN 'no hazard found'
    END AS _left_out
FROM told
