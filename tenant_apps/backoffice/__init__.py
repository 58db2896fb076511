"""What staff see (/gestion/)."""
