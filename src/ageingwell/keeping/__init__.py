"""How long anything is kept, and what becomes of it: purge, forget, and telling a person what is held of them."""
