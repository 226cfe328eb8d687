-- Returns overlap by months and resend events: versions of one event are merged when the table is read.
-- In the return it is the carer's row that names those cared for (Adult 1 to 3); an event has one link, so the first.
SELECT
    _file,
    _row,
    nhs_number,
    la_person_unique_identifier AS la_person_id,
    client_type,
    event_type,
    primary_support_reason,
    service_type,
    service_component,
    request_route_of_access AS route_of_access,
    review_reason,
    accommodation_status,
    has_unpaid_carer,
    coalesce(
        CASE WHEN upper(adult_1_linked_person_id) <> 'NULL' THEN adult_1_linked_person_id END,
        CASE WHEN upper(adult_2_linked_person_id) <> 'NULL' THEN adult_2_linked_person_id END,
        CASE WHEN upper(adult_3_linked_person_id) <> 'NULL' THEN adult_3_linked_person_id END
    ) AS linked_la_person_id,
    event_outcome,
    day(event_start_date) AS started_on,
    day(event_end_date) AS ended_on,
    day(date_of_death) AS died_on,
    unit_cost,
    cost_frequency_unit_type AS cost_frequency,
    planned_units_per_week,
    -- As the Department of Health and Social Care's method: a row without any id of a person is nobody's.
    CASE WHEN coalesce(nullif(upper(nhs_number), 'NULL'), nullif(upper(la_person_unique_identifier), 'NULL')) IS NULL
         THEN 'neither an NHS number nor an LA person id' END AS _left_out
FROM events
