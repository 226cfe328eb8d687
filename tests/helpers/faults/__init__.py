"""The fault catalogue: its table, what is done to the records, and how a night is run on what is left of them."""
