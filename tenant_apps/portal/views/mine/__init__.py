"""« Mes informations »: the person's address, messages, passkeys and data, and who else sees their invoices."""
