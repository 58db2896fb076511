"""What staff put right: cancelled payments, money left over, avoirs."""
