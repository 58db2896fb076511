"""A laptop in one command: real services, the payment simulator, and the demonstration data."""
