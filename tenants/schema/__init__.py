"""A town's tables: copied from the template, migrated, checked for readiness."""
