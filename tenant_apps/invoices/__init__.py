"""Invoices, their PDFs, and the batches that bring them in."""
