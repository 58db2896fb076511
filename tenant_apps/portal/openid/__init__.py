"""Signing in with the town's OpenID provider: the attempt kept in the session, and its words."""
