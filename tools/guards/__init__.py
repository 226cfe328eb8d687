"""Takes guards out of the code one at a time, and sees whether the tests miss them."""
