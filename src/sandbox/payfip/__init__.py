"""A PayFiP to try things against: the Treasury's paths, its contract, its faults. No real money, no real card."""
