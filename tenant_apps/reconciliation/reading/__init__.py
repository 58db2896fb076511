"""Journals and statements → typed rows. No database, nothing is written."""
