"""The PDFs of invoices: a link to one, a ZIP of many."""
