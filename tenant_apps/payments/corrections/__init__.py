"""Corrections by staff: cancelled payments, money left over, credits (avoirs)."""
