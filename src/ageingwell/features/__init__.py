"""What was known of each person on a day, as numbers: one file an agency, each feature one record."""
