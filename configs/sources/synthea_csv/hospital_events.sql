-- Of a stay it is not told whether it was an emergency, unless its words say so or an attendance at an emergency room
-- came first.
WITH told AS (
    SELECT *, left(day(start), 10) AS started, left(day(stop), 10) AS stopped, lower(encounterclass) AS class,
        lower(description) AS words
    FROM encounters
),
emergencies AS (
    SELECT patient, as_day(started) AS on_day FROM told
    WHERE class = 'emergency' AND as_day(started) IS NOT NULL
),
kinds AS (
    SELECT *, CASE
        WHEN class = 'emergency' THEN 'ae_attendance'
        WHEN class <> 'inpatient' THEN NULL
        WHEN words LIKE '%emergency%'
            OR coalesce((patient, as_day(started)) IN (SELECT (patient, on_day) FROM emergencies), false)
            OR coalesce((patient, as_day(started) - 1) IN (SELECT (patient, on_day) FROM emergencies), false)
        THEN 'emergency_admission'
        WHEN words LIKE '%elective%' THEN 'planned_admission' END AS kind
    FROM told
)
SELECT
    _file,
    _row,
    patient AS nhs_number,
    kind,
    started AS started_on,
    stopped AS ended_on,
    -- Not in the export. Records reach the board three to six weeks after discharge: six, lest one is known too early.
    coalesce(day_text(coalesce(as_day(stopped), as_day(started)) + 42), started) AS recorded_on,
    CASE WHEN kind IS NOT NULL THEN NULL
         WHEN class = 'inpatient' THEN 'a stay of which it is not told whether it was an emergency'
         ELSE 'neither a stay in hospital nor an attendance at an emergency room' END AS _left_out
FROM kinds
