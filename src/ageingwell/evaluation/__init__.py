"""How good a risk is: arrays in, figures out. Nothing here knows which model made the risks."""
