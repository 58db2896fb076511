"""Invented invoices and their PDFs."""
