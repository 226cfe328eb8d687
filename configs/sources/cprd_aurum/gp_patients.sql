SELECT
    _file,
    _row,
    patid AS nhs_number,
    -- The month is given for children alone. July, the middle of the year, is wrong by six months at most.
    concat_ws('-', yob, lpad(coalesce(nullif(nullif(mob, 'NA'), '0'), '7'), 2, '0'), '01') AS birth_month,
    gender AS sex,
    -- Practices carry CPRD's own numbers, no ODS codes; Z stands at the head of none of those.
    CASE WHEN length(pracid) <= 5 THEN 'Z' || lpad(pracid, 5, '0') ELSE pracid END AS practice_code,
    day(regstartdate) AS registered_on,
    day(regenddate) AS left_on,
    coalesce(day(nullif(cprd_ddate, 'NA')), day(nullif(emis_ddate, 'NA'))) AS died_on,
    -- Practices learn of a death within days; two weeks are what the register's endings are given.
    day_text(coalesce(as_day(cprd_ddate), as_day(emis_ddate)) + 14) AS died_recorded_on,
    -- What the row tells besides its endings was known at registration; CPRD holds no versions.
    day(regstartdate) AS recorded_on,
    CASE WHEN acceptable = '0' THEN 'not acceptable for research by CPRD''s checks'
         WHEN coalesce(nullif(patienttypeid, 'NA'), '3') <> '3' THEN 'not a regular registration' END AS _left_out
FROM patients
