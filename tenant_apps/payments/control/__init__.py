"""Checks on money: the nightly audit, the findings for staff, and the diagram of the states."""
