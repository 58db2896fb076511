"""The password rule, the lists of known passwords, and hashing."""
