"""A resident asks to see a payer's invoices, with a paper invoice as proof."""
