"""What becomes of a batch that was read: drafts, then publication."""
