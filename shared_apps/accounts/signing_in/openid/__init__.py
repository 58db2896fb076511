"""Signing in through an OpenID Connect provider: the protocol, and what a session keeps on the way."""
