"""« Mon compte »: what a member of staff decides about their own account."""
