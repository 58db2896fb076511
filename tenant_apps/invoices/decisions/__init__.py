"""What a clerk decides about an import: answers, corrected rows, the day of publication."""
