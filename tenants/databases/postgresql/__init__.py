"""The database engine of a deployment with several homes: see `base`."""
