"""What pages of the back office say, decided in Python."""
