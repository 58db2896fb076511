"""What reaches us about a payment: calls to the callback host, and what the payer's browser brings back."""
