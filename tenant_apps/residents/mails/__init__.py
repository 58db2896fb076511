"""The messages that this room sends: each kind is declared once, beside its words."""
