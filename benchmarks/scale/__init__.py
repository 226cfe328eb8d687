"""Every benchmark of speed and memory in one command: see `__main__`."""
