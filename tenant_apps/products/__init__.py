"""What can be paid, and with which number: a régie, a rôle or a budget of the town."""
