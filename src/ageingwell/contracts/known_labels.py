"""The labels that open columns are known to hold, folded, and other spellings that mean the same.

National lists change by year and councils write their own labels. A label that stands here is one that we know the
meaning of. One that the settings name is carried, and tells nothing. Any other is read as `other_not_listed`: it may be
a remark about somebody. A `*` stands for any ending or beginning, where what a feature asks of a label is how it starts
or what it holds; only what stands beside the `*` is carried.

Client Level Data (CLD): both releases of the specification, as the official transformations spell them
(NHSDigital/ASC-Client-Level-Data-SALT-ASCOF-transformations; DataS-DHSC/ASC-CLD-LA-Dashboard, data cleaning and
ASCOF 2E; release 1 outcomes and services also in yorkshire-and-humber-care-record/fhir-ig).
"""

from collections.abc import Mapping

_NOT_TOLD = ("unknown", "other", "data_not_held*", "release_1_specification_only_not_mapped")

SERVICE_TYPES = (
    "short_term_support_st_max",
    "short_term_support_ongoing_low_level",
    "short_term_support_other_short_term",
    "long_term_support_nursing_care",
    "long_term_support_residential_care",
    "long_term_support_community",
    "long_term_support_prison",
    "carer_support_direct_to_carer",
    "carer_support_support_involving_the_person_cared_for",
    *_NOT_TOLD,
)
SERVICE_TYPES_ALSO: Mapping[str, str] = {
    "unpaid_carer_support_direct_to_unpaid_carer": "carer_support_direct_to_carer",
    "unpaid_carer_support_support_involving_the_person_cared_for": (
        "carer_support_support_involving_the_person_cared_for"
    ),
    "lts_community": "long_term_support_community",
    "lts_nursing": "long_term_support_nursing_care",
    "lts_nursing_care": "long_term_support_nursing_care",
    "lts_residential": "long_term_support_residential_care",
    "lts_residential_care": "long_term_support_residential_care",
    "lts_prison": "long_term_support_prison",
    "sts_st_max": "short_term_support_st_max",
    "sts_ongoing_low_level": "short_term_support_ongoing_low_level",
    "sts_other_short_term": "short_term_support_other_short_term",
}

SERVICE_COMPONENTS = (
    "reablement",
    "short_term_nursing_care",
    "short_term_residential_care",
    "long_term_nursing_care",
    "long_term_residential_care",
    "home_support",
    "day_support",
    "meals",
    "transport",
    "equipment",
    "direct_payment",
    "shared_lives",
    "community_supported_living",
    "extra_care_housing",
    "professional_support",
    "professional_support_social_worker",
    "professional_support_other",
    "learning_education_employment_support",
    "end_of_life_care",
    "emergency_support",
    "other_short_term_support",
    "other_long_term_support",
    "carer_respite",
    "carer_sitting_service",
    "carer_universal_services",
    "other_carer_support",
    *_NOT_TOLD,
)
SERVICE_COMPONENTS_ALSO: Mapping[str, str] = {
    "home_support_or_domiciliary_care": "home_support",
    "domiciliary_care": "home_support",
    "home_care": "home_support",
    "learning_education_or_employment_support": "learning_education_employment_support",
    "unpaid_carer_respite": "carer_respite",
    "unpaid_carer_sitting_service": "carer_sitting_service",
    "unpaid_carer_universal_services": "carer_universal_services",
    "other_unpaid_carer_support": "other_carer_support",
}

CLIENT_TYPES_ALSO: Mapping[str, str] = {
    "unpaid_carer": "carer",
    "unpaid_carer_known_by_association": "carer_known_by_association",
}

SUPPORT_REASONS = (
    "physical_support_access_mobility_only",
    "physical_support_access_and_mobility_only",
    "physical_support_personal_care_support",
    "sensory_support_support_for_visual_impairment",
    "sensory_support_support_for_hearing_impairment",
    "sensory_support_support_for_dual_impairment",
    "support_with_memory_cognition",
    "support_with_memory_and_cognition",
    "learning_disability_support",
    "mental_health_support",
    "social_support_substance_misuse_support",
    "social_support_asylum_seeker_support",
    "social_support_support_for_social_isolation_other",
    "*social_isolation*",  # what the feature asks for
    "social_support_support_to_carer",
    "social_support_support_to_unpaid_carer",
    *_NOT_TOLD,
)

ROUTES_OF_ACCESS = (
    "community_other_route",
    "community_or_other_route",
    "discharge_from_hospital",
    "diversion_from_hospital_services",
    "planned_entry_transition",
    "transition*",
    "self_funder_with_depleted_funds",
    "prison",
    *_NOT_TOLD,
)

# The features ask how a reason starts: planned, or not.
REVIEW_REASONS = (
    "planned",
    "planned_annual",
    "unplanned_hospital_planned_unplanned",
    "unplanned_hospital_planned_and_unplanned",
    "unplanned_carer_related",
    "unplanned_unpaid_carer_related",
    "unplanned_safeguarding_concern",
    "unplanned_provider_failure",
    "unplanned_change_in_commissioning_arrangements",
    "unplanned_transition_from_childrens_services",
    "unplanned_other",
    "unplanned_other_reason",
    "planned*",
    "*unplanned*",
    "review_of_short_term_support",
    *_NOT_TOLD,
)

ACCOMMODATION = (
    "owner_occupier_or_shared_ownership_scheme",
    "tenant",
    "tenant_local_authority_or_other_social_housing_provider",
    "tenant_private_landlord",
    "settled_mainstream_housing_with_family_friends",
    "settled_mainstream_housing_with_family_or_friends",
    "supported_accommodation_supported_lodgings_supported_group_home",
    "supported_accommodation_supported_lodgings_or_supported_group_home",
    "shared_lives_scheme",
    "approved_premises_for_offenders_released_from_prison_or_under_probation_supervision",
    "sheltered_housing_extra_care_housing_other_sheltered_housing",
    "sheltered_housing_extra_care_housing_or_other_sheltered_housing",
    "mobile_accommodation_for_gypsy_roma_and_traveller_communities",
    "rough_sleeper_squatting",
    "rough_sleeper_or_squatting",
    "night_shelter_emergency_hostel_direct_access_hostel",
    "night_shelter_emergency_hostel_or_direct_access_hostel",
    "refuge",
    "placed_in_temporary_accommodation_by_the_council*",
    "staying_with_family_friends_as_a_short_term_guest",
    "staying_with_family_or_friends_as_a_short_term_guest",
    "acute_long_term_healthcare_residential_facility_or_hospital",
    "acute_hospital_or_long_term_healthcare_residential_facility",
    "registered_care_home",
    "registered_nursing_home",
    "prison_young_offenders_institution_detention_centre",
    "prison_young_offenders_institution_or_detention_centre",
    "other_temporary_accommodation",
    "unknown_presumed_at_home",
    "unknown_presumed_rough_sleeping",
    "unknown*",
    *_NOT_TOLD,
)
ACCOMMODATION_ALSO: Mapping[str, str] = {
    "care_home": "registered_care_home",
    "residential_home": "registered_care_home",
    "residential_care_home": "registered_care_home",
    "nursing_home": "registered_nursing_home",
}

EVENT_OUTCOMES = (
    "progress_to_reablement_st_max",
    "progress_to_assessment",
    "progress_to_assessment_review_or_reassessment",
    "progress_to_re_assessment_unplanned_review",
    "progress_to_support_planning_services",
    "progress_to_support_planning_or_services",
    "progress_to_end_of_life_care",
    "progress_to_financial_assessment",
    "provision_of_service",
    "admitted_to_hospital",
    "no_change_in_package",
    "continuation_of_support_or_services",
    "service_ended_as_planned",
    "nfa_support_declined",
    "*support_declined",  # what the feature asks for
    "nfa_information_advice*",
    "nfa_information_and_advice*",
    "nfa_deceased",
    "nfa_moved_to_another_la",
    "nfa_responsibility_moved_to_another_local_authority",
    "nfa_100_nhs_funded_care",
    "nfa_referral_to_nhs_services_or_nhs_funded_social_care",
    "nfa_referral_to_other_service_within_the_local_authority",
    "nfa_self_funded_client*",
    "nfa_no_services_offered_other_reason",
    "nfa_self_funded_client_inc_12wk_disregard",
    "nfa_support_ended_other_reason",
    "nfa_no_services_offered*",
    "nfa_support_ended*",
    "nfa_other",
    *_NOT_TOLD,
)

COST_FREQUENCIES = (
    "no_charge_to_client",
    "per_session",
    "hourly",
    "daily",
    "weekly",
    "fortnightly",
    "4_weekly",
    "monthly",
    "quarterly",
    "annually",
    "one_off",
    *_NOT_TOLD,
)
COST_FREQUENCIES_ALSO: Mapping[str, str] = {
    "four_weekly": "4_weekly",
    "4_weeks": "4_weekly",
    "annual": "annually",
    "yearly": "annually",
    "session": "per_session",
    "one_off_cost": "one_off",
}

# The 29 hazards of the Housing Health and Safety Rating System, by the names of its operating guidance of 2006.
HAZARDS = (
    "damp_and_mould_growth",
    "excess_cold",
    "excess_heat",
    "asbestos_and_mmf",
    "falls_associated_with_baths_etc",
    "falling_on_level_surfaces_etc",
    "falling_on_stairs_etc",
    "flames_hot_surfaces_etc",
    "position_and_operability_of_amenities_etc",
    "asbestos*",
    "biocides",
    "carbon_monoxide_and_fuel_combustion_products",
    "lead",
    "radiation",
    "uncombusted_fuel_gas",
    "volatile_organic_compounds",
    "crowding_and_space",
    "entry_by_intruders",
    "lighting",
    "noise",
    "domestic_hygiene_pests_and_refuse",
    "food_safety",
    "personal_hygiene_sanitation_and_drainage",
    "water_supply",
    "falls_associated_with_baths*",
    "falling_on_level_surfaces*",
    "falling_on_stairs*",
    "falling_between_levels",
    "electrical_hazards",
    "fire",
    "flames_hot_surfaces*",
    "collision_and_entrapment",
    "explosions",
    "position_and_operability_of_amenities*",
    "structural_collapse_and_falling_elements",
    *_NOT_TOLD,
)

# No national list: who usually asks for a visit, and which registers usually tell of homes.
REFERRAL_SOURCES = (
    "self",
    "family",
    "friend",
    "neighbour",
    "carer",
    "gp",
    "gp_practice",
    "hospital",
    "nhs",
    "ambulance",
    "adult_social_care",
    "council",
    "housing",
    "housing_provider",
    "voluntary_sector",
    "fire_crew",
    "police",
    *_NOT_TOLD,
)
HOME_SOURCES = (
    "epc",
    "landlord",
    "council_tax",
    "care_register",
    "cqc",
    "hhsrs",
    "dwelling_hazards",
    "address_register",
    "housing_register",
    "valuation_office",
    "fire_visit",
    "survey",
    *_NOT_TOLD,
)

# The kinds of need that the NHS Accessible Information Standard (DCB1605) speaks of.
COMMUNICATION_NEEDS = (
    "large_print",
    "braille",
    "easy_read",
    "audio",
    "hearing_loop",
    "british_sign_language",
    "bsl",
    "bsl_interpreter",
    "interpreter",
    "lipreading",
    "lipspeaker",
    "makaton",
    "advocate",
    "telephone_first",
    "text_message",
    "email",
    "none",
    *_NOT_TOLD,
)
