"""An online payment, from its start to the answer that settles it."""
