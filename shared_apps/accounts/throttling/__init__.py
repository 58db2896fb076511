"""How often somebody may try, and what a refusal answers."""
