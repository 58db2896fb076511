"""A journal or a statement: sent, read by the worker, kept line by line."""
