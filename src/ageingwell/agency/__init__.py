"""What an agency does at home with the list it was sent: find its people by its own register, and add someone."""
