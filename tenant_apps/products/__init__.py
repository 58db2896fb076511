"""The products of a town: a régie, a rôle or a budget, each with its number at the Treasury."""
