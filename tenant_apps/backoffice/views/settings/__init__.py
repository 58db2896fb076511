"""Pages of the back office where a manager sets up the town."""
