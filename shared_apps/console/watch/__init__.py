"""The figures of each town, and the health of the platform's parts."""
