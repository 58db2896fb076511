"""One row: its setters, and money that a row takes back."""
