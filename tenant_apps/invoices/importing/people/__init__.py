"""Who owes the invoices of a file: codes, names, and what the clerk must be asked."""
