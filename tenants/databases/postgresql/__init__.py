"""The database engine of a deployment with several shards: see `base`."""
