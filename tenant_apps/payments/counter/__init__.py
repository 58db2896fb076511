"""Money received at the counter, and the deposits that take it to the bank."""
