"""What a night keeps: its frames, and how a published night is read again."""
