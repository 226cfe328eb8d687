SELECT
    _file,
    _row,
    nhs_number,
    whole_text(uprn) AS uprn,
    day(date_of_birth) AS birth_date,
    gender AS sex,
    ethnic_origin AS ethnic_group,
    postcode,
    usual_gp_s_organisation_code AS practice_code,
    day(registered_date) AS registered_on,
    day(deducted_date) AS left_on,
    day(date_of_death) AS died_on,
    -- A report shows the record as it was on the day it was run.
    _extracted_on AS recorded_on,
    CASE WHEN nhs_number IS NULL THEN 'no NHS number'
         WHEN lower(patient_type) = 'dummy' THEN 'a dummy patient'
         WHEN lower(coalesce(patient_type, 'regular')) NOT LIKE '%regular%' AND lower(patient_type) NOT LIKE '%gms%'
         THEN 'not a regular registration' END AS _left_out
FROM register
