"""The operator's site: the towns, their health, and the acts of an operator on a town."""
