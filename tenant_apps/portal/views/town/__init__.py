"""The town's logo, legal pages and help, and the reader's theme and language."""
