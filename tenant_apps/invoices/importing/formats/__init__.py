"""One module per format, and nothing else. The registry finds the `FORMAT` of each."""
