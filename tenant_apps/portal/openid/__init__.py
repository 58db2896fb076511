"""Signing in with the town's OpenID provider: what the session keeps, and the error messages."""
