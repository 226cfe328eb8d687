"""Writes `docs/evidence.md` from what the tests counted, and says where the page and the tests differ."""
