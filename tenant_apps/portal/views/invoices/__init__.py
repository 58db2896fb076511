"""Pages about invoices and their payment."""
