"""One run over the lines of a file."""

from collections.abc import Sequence

from django.conf import settings
from django.utils.translation import gettext_noop as _
from django.utils.translation import override

from tenant_apps.payments.models import Payment
from tenant_apps.reconciliation.judging import bank, journal
from tenant_apps.reconciliation.judging.common import S, Taken, say
from tenant_apps.reconciliation.models import Kind, Line
from tenant_apps.reconciliation.reading.words import Said, said_of


class Matcher:
    """Judges the lines of one kind; remembers what it has given away, so that no payment is on two lines."""

    def __init__(self, kind: str) -> None:
        self._judge = journal.judge if kind == Kind.JOURNAL else bank.judge
        self._taken = Taken(kind)

    def judge(self, lines: Sequence[Line]) -> None:
        """Set state, reason and what was found on each of `lines`, in memory.

        In a transaction: the payments it gives are locked, so that none is cancelled before the lines are written.
        """
        with override(settings.LANGUAGE_CODE):  # the reason stays in the row
            money = [line for line in lines if not _says_no_money(line)]
            self._judge(money, self._taken)
            _still_counting(money)


def _says_no_money(line: Line) -> bool:
    """What a line says of itself holds for good, whatever became of the file that had it first."""
    if line.amount is None:
        say(line, S.UNREADABLE, line.doubt)
    elif line.pay_state and not line.returned and said_of(line.pay_state) == Said.NOT_PAID:
        say(line, S.IGNORED, line.doubt)
    return line.state in (S.UNREADABLE, S.IGNORED)


def _still_counting(lines: Sequence[Line]) -> None:
    matched = [line for line in lines if line.state == S.MATCHED and line.payment_id is not None]
    wanted = [line.payment_id for line in matched if line.payment_id is not None]
    counting = set(
        Payment.objects.select_for_update(no_key=True)
        .filter(pk__in=wanted, cancelled_at=None)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    for line in matched:
        if line.payment_id not in counting:
            say(line, S.DOUBTFUL, _("Ce règlement est annulé chez nous."), payment=line.payment)
