"""Attempts to pay online, money received, and what it pays."""
