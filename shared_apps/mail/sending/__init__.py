"""The outbox is sent: one message at a time, and what each failure means."""
