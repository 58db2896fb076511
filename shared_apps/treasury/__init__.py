"""Notifications of providers: find the town of an operation, and deliver the notification to it."""
