"""Texts of the back office that need a decision in Python."""
