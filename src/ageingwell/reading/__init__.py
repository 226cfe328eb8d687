"""One reader of files, whatever form they have."""
