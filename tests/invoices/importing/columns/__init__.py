"""Columns that a source names, and names in place of codes."""
