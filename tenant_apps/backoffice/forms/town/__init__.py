"""The forms of the town's settings: one module a page."""
