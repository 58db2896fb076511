"""Signing in with the town's OpenID provider: the road there and back, and the error messages."""
