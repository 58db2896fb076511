"""Messages to residents about their invoices, each sent once: new invoices, reminders, receipts."""
