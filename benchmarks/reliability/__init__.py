"""Goals of reliability, privacy and security in full size: `python -m benchmarks.reliability <name>`."""
