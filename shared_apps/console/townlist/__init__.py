"""A list of towns to open: read it, compare it with the registry, open what is new, report."""
