"""One line: its setters, and money that a line takes back."""
