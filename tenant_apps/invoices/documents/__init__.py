"""The PDFs of invoices: links to one, a ZIP of many."""
