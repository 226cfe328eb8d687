-- An alert about danger to staff is a marker of the home: the landlord knows no NHS number. What an alert says in free
-- text is not read; its code tells what it is.
WITH coded AS (
    SELECT alerts.*,
        CASE WHEN regexp_matches(person_alert_code, '^[0-9]+$') THEN coalesce(
            alert_subcode,
            error('profile: alerts name their codes by a number: put the table person_alert_codes beside them')
        ) ELSE person_alert_code END AS code
    FROM alerts LEFT JOIN codes ON alerts.person_alert_code = codes.person_alert_code_id
),
told AS (
    SELECT *,
        -- Violence and aggression (VIO), risk to staff (RISK2) and to contractors (RISK3); words where there is no code.
        coalesce(regexp_matches(upper(code), '^ *(VIO|VIOL|AGG|STAFF|RISK ?[23]([.]|$))'), FALSE)
            OR regexp_matches(lower(concat_ws(' ', CASE WHEN NOT regexp_matches(code, '^[A-Za-z]{2,5} ?[0-9]') THEN code END, alert_name)),
                'violen|aggress|weapon|threat|abusive|risk to (staff|contractor)|staff safety|dangerous (dog|pet|animal)|two staff|lone work')
            AS is_danger,
        -- Domestic abuse, a child or an adult at risk: the home is the safeguarding lead's.
        coalesce(regexp_matches(upper(code), '^ *SAF'), FALSE) AS is_safeguarding,
        lower(coalesce(is_active, CASE WHEN lower(alert_status) IN ('closed', 'archived') THEN 'false' END)) AS active
    FROM coded
)
SELECT
    _file,
    _row,
    whole_text(uprn) AS uprn,
    CASE WHEN is_danger THEN 'staff_safety' WHEN is_safeguarding THEN 'safeguarding' END AS kind,
    day(start_date) AS from_on,
    -- One that is not active counts up to the day of the extract at the latest; one that is active outlives its end.
    CASE
        WHEN active IN ('false', 'f', 'n', 'no', '0') THEN coalesce(day(end_date), _extracted_on)
        WHEN active IN ('true', 't', 'y', 'yes', '1') AND as_day(end_date) <= _extracted_on::DATE THEN NULL
        ELSE day(end_date)
    END AS to_on,
    _extracted_on AS checked_on,
    CASE
        WHEN NOT is_danger AND NOT is_safeguarding THEN 'an alert of another kind'
        WHEN uprn IS NULL OR whole_text(uprn) = '0' THEN 'a marker without a UPRN: ask the landlord for the home'
    END AS _left_out
FROM told
