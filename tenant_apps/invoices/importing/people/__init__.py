"""Who owes the invoices of a file: codes, names, and the questions to the clerk."""
