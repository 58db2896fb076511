"""Pages where a manager sets the town up."""
