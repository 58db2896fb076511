"""One file a format, and nothing else: `FORMAT` in each is found by the registry."""
