"""The forms of a source of files: its rules, and the columns of one of its files."""
