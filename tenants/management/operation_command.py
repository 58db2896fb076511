"""What commands that perform an operation have in common."""

from django.core.management.base import BaseCommand

from tenants.models import Operation


class OperationCommand(BaseCommand):
    """Shows each step of an operation as a line, and how far it is about every tenth of the way."""

    _shown = ("", -1)

    def watch(self, operation: Operation) -> None:
        """Hears the operation's progress."""
        tenth = operation.done * 10 // operation.total if operation.total else 0
        if (operation.step, tenth) != self._shown:
            self._shown = (operation.step, tenth)
            count = f" {operation.done} / {operation.total}" if operation.total else ""
            self.stderr.write(f"{operation.step}{count}…")
