"""Read → check → preview → publish: how billing files become invoices."""
