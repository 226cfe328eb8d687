"""The whole jobs, each told as a method section: the night, the training, and the small ones."""
