"""The life of a town: opened, suspended, renamed, closed."""
