"""The first steps of a new town: which are done, read from the rooms below. For its staff and for the operator."""
