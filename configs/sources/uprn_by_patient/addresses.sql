-- ASSIGN calls the match of a flat with its building, or with a neighbour, a parent, child or sibling: another home.
SELECT
    _file,
    _row,
    nhs_number,
    whole_text(uprn) AS uprn,
    CASE
        WHEN match_quality IS NOT NULL THEN match_quality
        WHEN regexp_matches(lower(qualifier), 'parent|child|sibling') THEN 'low'
        WHEN regexp_matches(match_pattern, '^(Pe|Se|Ne|Be|Fe)(,(Pe|Se|Ne|Be|Fe))*$') THEN 'exact'
        WHEN qualifier IS NOT NULL OR algorithm IS NOT NULL THEN 'high'
    END AS household_match,
    CASE WHEN nhs_number IS NULL THEN 'no NHS number' WHEN uprn IS NULL THEN 'no UPRN' END AS _left_out
FROM matches
