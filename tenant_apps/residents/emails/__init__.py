"""The e-mail addresses of a payer: who gave them, and what an address that goes takes with it."""
