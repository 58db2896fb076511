"""Whom the publication of an import tells: beforehand, at the moment itself, and afterwards."""
