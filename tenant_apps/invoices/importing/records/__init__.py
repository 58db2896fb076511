"""What a format yields, and how its texts become it."""
