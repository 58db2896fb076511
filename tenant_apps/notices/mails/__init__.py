"""The kinds of messages about invoices and payments that a person can refuse: one module each."""
