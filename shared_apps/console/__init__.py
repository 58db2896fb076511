"""The operator's site: the towns, their health, and what an operator may do to them."""
