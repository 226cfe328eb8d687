-- The codes are of RxNorm. They have the shape of dm+d codes and mean other things.
SELECT
    _file,
    _row,
    patient AS nhs_number,
    NULL AS dmd_code,
    left(day(start), 10) AS issued_on,
    left(day(start), 10) AS recorded_on,
    'its medicine is coded in RxNorm, not in dm+d: ask for an export with dm+d codes' AS _left_out
FROM medicines
