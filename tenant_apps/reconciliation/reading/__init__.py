"""Journals and statements → typed rows. Pure reading: no database, nothing is written."""
