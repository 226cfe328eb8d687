-- What the job is about is free text with remarks about tenants, and is not read. A job for damp is a repair asked for,
-- not a hazard found: a hazard is what an inspection rates.
WITH raised AS (
    SELECT _file, _row, uprn, job_no, date_raised, trade, priority, status FROM jobs
    UNION ALL BY NAME
    SELECT _file, _row, uprn, NULL AS job_no, date_raised, trade, priority, status FROM repairs
)
SELECT
    _file,
    _row,
    whole_text(uprn) AS uprn,
    job_no AS case_id,
    CASE WHEN regexp_matches(lower(concat_ws(' ', trade, priority)), 'disrepair')
        THEN 'disrepair_complaint' ELSE 'repair_requested' END AS event_type,
    day(date_raised) AS happened_on,
    -- The landlord's system knows a job from the day it is raised.
    day(date_raised) AS recorded_on,
    CASE
        WHEN uprn IS NULL OR whole_text(uprn) = '0' THEN 'no UPRN'
        WHEN regexp_matches(lower(status), 'duplicate|raised in error|error|void|deleted') THEN 'raised in error'
    END AS _left_out
FROM raised
