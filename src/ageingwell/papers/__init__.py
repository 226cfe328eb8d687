"""The papers of a sign-off: drafts drawn from one run, what is left for people, and what was signed before."""
