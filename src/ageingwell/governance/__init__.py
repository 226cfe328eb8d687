"""What a run owes to those who sign it off: disclosure rules, the manifest, the model card."""
