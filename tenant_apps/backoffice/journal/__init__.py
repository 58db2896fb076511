"""The trail of the town as staff read it: who did what, to what, old → new."""
