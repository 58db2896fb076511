"""Files that arrive without a person."""
