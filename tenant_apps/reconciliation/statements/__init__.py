"""Journals and statements: sent by staff, read by the worker, saved row by row."""
