"""What each recipient may see of a night: built up from allowed columns, never cut down from the full list."""
