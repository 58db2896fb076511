"""« Mes factures » and « Mes règlements »: filters, rows, sums and the export."""
