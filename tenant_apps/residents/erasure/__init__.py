"""Personal data erased at a resident's request, or after the months that the town keeps it."""
