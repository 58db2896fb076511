"""Fields and forms that every door uses."""
