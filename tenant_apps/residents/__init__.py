"""Payers as billing knows them, and which accounts may see their invoices."""
