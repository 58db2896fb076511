"""Secrets: tokens in links, sealed values, lists of hashes."""
