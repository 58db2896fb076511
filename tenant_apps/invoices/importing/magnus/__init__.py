"""Magnus (Berger-Levrault): what is in its ZIP, and the invoices of its lines."""
