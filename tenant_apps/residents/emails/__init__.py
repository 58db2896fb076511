"""The e-mail addresses of payers: who gave each, and what ends when one is removed."""
