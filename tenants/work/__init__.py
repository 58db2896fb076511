"""Work that a town has due, and long work that somebody asked for."""
