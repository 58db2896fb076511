"""The payment providers. Each is plain Python: it imports no models and knows no town."""
