"""What others say of a payment: calls at the callback host, and what the payer's browser brings back."""
