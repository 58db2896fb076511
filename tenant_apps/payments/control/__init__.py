"""What checks the money: the nightly audit, findings for staff, the drawn states."""
