"""PayFiP's web service: its contract, its fields, our client."""
