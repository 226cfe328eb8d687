"""The made-up county: four agencies' records about people who do not exist, with the truth known."""
