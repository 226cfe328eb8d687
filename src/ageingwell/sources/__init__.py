"""Reading what the agencies sent: good rows, refused rows, and counts; nothing is dropped silently."""
