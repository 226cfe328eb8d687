"""Full-size runs behind the figures of `docs/evidence.md`: what the test command tries a few times, many times over."""
