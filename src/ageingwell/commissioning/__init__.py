"""What a community should buy or grow, counted: tidy tables that the page and the brief are drawn from."""
