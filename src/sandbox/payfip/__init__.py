"""A simulator of PayFiP, with the addresses, contract and faults of the Treasury. No real money, no real card."""
