"""Who can be asked to take a payment. Each provider is plain Python: no models, no town."""
