"""Receipts and dockets as PDF."""
