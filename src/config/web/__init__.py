"""What every request and answer passes through: language, headers, errors, uploads, health."""
