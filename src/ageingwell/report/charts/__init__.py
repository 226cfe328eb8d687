"""The charts of the technical annex: each takes a tidy table and gives one inline SVG, the same bytes every time."""
