-- One row of ours for each milestone that has a day. A case is asked for on the day of its enquiry, else of the referral,
-- else of the application; what is closed after its completion was not withdrawn.
WITH milestones AS (
    SELECT _file, _row, case_ref, whole_text(uprn) AS uprn, date_completed, date_paid, unnest([
        {'event': 'adaptation_requested', 'reached': coalesce(
            day_text(as_day(enquiry_date)), day_text(as_day(referral_date)), day_text(as_day(application_date)),
            enquiry_date, referral_date, application_date)},
        {'event': 'adaptation_approved', 'reached': date_approved},
        {'event': 'adaptation_completed', 'reached': date_completed},
        {'event': 'adaptation_withdrawn', 'reached': withdrawn_date}
    ], recursive := TRUE)
    FROM cases
)
SELECT
    _file,
    _row,
    uprn,
    case_ref AS case_id,
    event AS event_type,
    day(reached) AS happened_on,
    -- The register is the council's own: a stage is known on its day. The end of works is certain once it was paid for.
    CASE WHEN event = 'adaptation_completed' THEN greatest(day(reached), coalesce(day_text(as_day(date_paid)), day(reached)))
        ELSE day(reached) END AS recorded_on,
    CASE
        WHEN uprn IS NULL OR uprn = '0' THEN 'no UPRN'
        WHEN reached IS NULL OR regexp_matches(lower(reached), '^(n/?[ak]|tbc|-+|null|none|no|pending|not .*|awaiting.*)$')
            THEN 'a stage that is not reached'
        WHEN event = 'adaptation_withdrawn' AND as_day(date_completed) IS NOT NULL THEN 'closed after it was completed'
    END AS _left_out
FROM milestones
