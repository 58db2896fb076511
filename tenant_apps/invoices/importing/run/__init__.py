"""One import from its records to published invoices."""
