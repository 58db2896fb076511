"""« Mes factures » and « Mes règlements »: what is asked for, the rows, the export."""
