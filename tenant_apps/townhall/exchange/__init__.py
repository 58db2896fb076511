"""Settings that a town gives to another in a file: which, how they are written and read, and how they are taken."""
