"""Base of the commands that perform an operation."""

from django.core.management.base import BaseCommand

from tenants.models import Operation


class OperationCommand(BaseCommand):
    """Print each step of an operation on a line, and its progress about every 10 %."""

    _shown = ("", -1)

    def watch(self, operation: Operation) -> None:
        """Receive the operation's progress."""
        tenth = operation.done * 10 // operation.total if operation.total else 0
        if (operation.step, tenth) != self._shown:
            self._shown = (operation.step, tenth)
            count = f" {operation.done} / {operation.total}" if operation.total else ""
            self.stderr.write(f"{operation.step}{count}…")
