"""What keeps the house: not part of the package."""
