"""What each table is to a person: how a room gives it, erases it, and how long it keeps it."""
