"""How the tests that the hazard log names ended, written for the package that is shipped without them."""
