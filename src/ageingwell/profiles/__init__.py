"""Source profiles: which of an agency's own files are which, and how they become tables of the contracts."""
