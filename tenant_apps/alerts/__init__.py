"""Messages that residents receive about their invoices, once each: new invoices, reminders, receipts."""
