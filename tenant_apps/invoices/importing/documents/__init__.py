"""The PDFs that come with a file."""
