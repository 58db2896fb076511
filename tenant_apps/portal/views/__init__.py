"""The pages of a resident, by subject."""
