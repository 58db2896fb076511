"""Signing in through an OpenID Connect provider: the protocol, without any account or town."""
