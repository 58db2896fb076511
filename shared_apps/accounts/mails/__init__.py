"""What staff are told about their account: their invitation, and each change of how it opens."""
