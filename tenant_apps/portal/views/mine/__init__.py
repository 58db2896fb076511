"""« Mes informations »: my address, messages, passkeys, data, and who else sees my invoices."""
