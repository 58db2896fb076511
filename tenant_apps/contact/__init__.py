"""Threads of messages between residents and the billing service."""
