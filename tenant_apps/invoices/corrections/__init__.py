"""What changes an online invoice: avoirs, and what a file says of it."""
