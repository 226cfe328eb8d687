"""Settings: TOML files read into typed, frozen values, every mistake reported at once."""
