"""Which host leads to which town, and what is answered when none can be served."""
