"""Files that are tables: their titles, and their rows."""
