"""How much of what is sent we recognise, and of whom the records therefore tell nothing."""
