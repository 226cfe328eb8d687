"""Small whole jobs around the night: check, connect, demo, explain."""
