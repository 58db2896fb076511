"""One large PDF with all invoices of a month: which pages are whose."""
