"""The made-up directory of local services that ships with the project."""
