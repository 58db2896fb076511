"""The one callback host that the Treasury knows: find the town of an operation, and ring its bell."""
