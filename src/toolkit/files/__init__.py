"""Files in S3: their keys, links that expire, and many files at once."""
