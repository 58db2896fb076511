"""The outbox: every e-mail is a row, with its delivery and its bounces."""
