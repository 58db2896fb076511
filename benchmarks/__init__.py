"""`make bench`: ours beside a peer or the limit, in one run, as a ratio."""
