"""What a resident sees."""
