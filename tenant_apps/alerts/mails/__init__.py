"""The kinds of messages about invoices and payments that a person may refuse: one file each."""
