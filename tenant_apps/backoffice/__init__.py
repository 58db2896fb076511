"""The pages of staff (/gestion/)."""
