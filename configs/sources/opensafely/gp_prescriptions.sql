SELECT
    _file,
    _row,
    patient_id AS nhs_number,
    whole_text(dmd_code) AS dmd_code,
    day(date) AS issued_on,
    -- The tables do not hold when an issue was entered.
    day(date) AS recorded_on,
    CASE WHEN dmd_code IS NULL THEN 'no dm+d code' END AS _left_out
FROM medicines
