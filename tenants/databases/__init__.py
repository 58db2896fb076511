"""The databases where towns live: the backend, direct connections, outages, copies of registry rows."""
