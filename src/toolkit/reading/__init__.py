"""Files of unknown origin → lines of text, cells and values. Pure reading: no database, nothing is written."""
