-- The kind of incident is told by what it was, where it was, and whether it was meant: no single column holds it.
WITH told AS (
    SELECT *,
        regexp_replace(whole_text(uprn), '^0+', '') AS place,
        lower(concat_ws(' ', incident_type, stop_code)) AS kind,
        lower(concat_ws(' ', property_category, property_type, incident_type, stop_code)) AS location,
        lower(concat_ws(' ', motive, incident_type, stop_code)) AS cause
    FROM incidents
),
read AS (
    SELECT *,
        regexp_matches(kind, 'false|afa\b|apparatus|good intent|malicious call|hoax') AS is_false_alarm,
        regexp_matches(kind, 'special service|non[- ]?fire') OR NOT regexp_matches(kind, 'fire|chimney|smoke|\badf\b')
            AND regexp_matches(kind, '\brtc\b|collision|flood|rescue|lift|entry|assist|spill|medical|animal|hazmat') AS is_special,
        regexp_matches(kind, 'fire|chimney|\badf\b|smoke|late call') AS is_fire,
        regexp_matches(location, 'dwelling|\badf\b|\bhouse\b|bungalow|\bflats?\b|maisonette|hmo|sheltered|caravan/mobile home \(permanent|self contained')
            AND NOT regexp_matches(location, 'non[- ]?(dwelling|residential)|not a dwelling|other residential|other building|outdoor|vehicle|care home|hotel|hospital')
            AS is_dwelling,
        regexp_matches(cause, 'deliberate|arson|malicious|wilful') AND NOT regexp_matches(cause, 'non[- ]?deliberate|not deliberate') AS is_meant,
        -- National statistics count a motive that is not known as accidental.
        regexp_matches(cause, 'accident|\badf\b|not known|unknown|undetermined|non[- ]?deliberate|not deliberate') AS is_accident
    FROM told
)
SELECT
    _file,
    _row,
    place AS uprn,
    CASE
        WHEN is_false_alarm THEN 'false_alarm'
        WHEN is_special THEN 'special_service'
        WHEN is_fire AND is_meant THEN 'deliberate_fire'
        WHEN is_fire AND is_dwelling AND is_accident THEN 'accidental_dwelling_fire'
        ELSE incident_type
    END AS incident_type,
    day(incident_date) AS happened_on,
    -- Control knows an incident while it happens; without a day of entry it is known from the day after.
    coalesce(day(date_entered), day_text(as_day(incident_date) + 1), day(incident_date)) AS recorded_on,
    CASE
        WHEN place IS NULL OR place = '' THEN 'no UPRN'
        WHEN is_false_alarm OR is_special OR is_meant OR NOT is_fire THEN NULL
        WHEN NOT is_dwelling AND coalesce(property_category, property_type) IS NULL THEN 'a fire, and not told whether in a dwelling'
        WHEN NOT is_dwelling THEN 'a fire elsewhere than in a dwelling'
        WHEN NOT is_accident THEN 'a fire in a dwelling, and not told whether by accident'
    END AS _left_out
FROM read
