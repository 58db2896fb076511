"""The staff of a town: who is invited, with which role, and how a member leaves."""
