"""Money received at the counter, and deposit dockets."""
