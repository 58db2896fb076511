"""Processes that never outlive the sandbox: how a part is launched, and who buries it."""
