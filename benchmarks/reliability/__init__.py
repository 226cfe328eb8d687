"""Full-size runs behind the figures of `docs/evidence.md`: what the test command tries a few times, many times over."""

"""Goals of reliability, privacy and security in full size: `python -m benchmarks.reliability <name>`."""
