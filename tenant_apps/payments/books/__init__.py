"""The ledger of what each act on money changed, and the one order of locks on money."""
