"""What residents change of their own account: address, passkeys, linked identity."""
