"""Moving a town from one database to another."""
