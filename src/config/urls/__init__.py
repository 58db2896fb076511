"""The addresses of each kind of host: town, public, operator, callback."""
