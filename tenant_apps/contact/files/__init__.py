"""Files attached to messages: checked, stored, swept."""
