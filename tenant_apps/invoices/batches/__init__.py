"""What the worker does with a batch, from its files to its publication."""
