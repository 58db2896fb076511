"""Judge the rows of a file, chunk by chunk."""

from collections.abc import Sequence

from django.conf import settings
from django.utils.translation import gettext_noop as _
from django.utils.translation import override

from tenant_apps.payments.models import Payment
from tenant_apps.reconciliation.judging import bank, journal, treasury
from tenant_apps.reconciliation.judging.common import S, Taken, say
from tenant_apps.reconciliation.models import Kind, Statement, StatementRow
from tenant_apps.reconciliation.reading.words import Said, said_of
from toolkit.scope import Scope

_JUDGES = {Kind.JOURNAL: journal.judge, Kind.BANK: bank.judge, Kind.RETURN: treasury.judge}


class Matcher:
    """Judges the rows of one file, and remembers the payments it has matched: a payment is matched to one row only."""

    def __init__(self, file: Statement) -> None:
        self._judge = _JUDGES[Kind(file.kind)]
        self._taken = Taken(file.kind, Scope.kept(file.limited_to))

    def judge(self, rows: Sequence[StatementRow]) -> None:
        """Set state, reason and what was found on each of `rows`, in memory.

        Call it in a transaction: it locks the matched payments, so that nobody cancels one before the rows are saved.
        """
        with override(settings.LANGUAGE_CODE):  # the reason is kept in French in the row
            money = [row for row in rows if not _says_no_money(row)]
            self._judge(money, self._taken)
            _still_counting(money)


def _says_no_money(row: StatementRow) -> bool:
    """Whether the row itself says that it is not money, or cannot be read. Another file does not change this."""
    if row.amount is None:
        say(row, S.UNREADABLE, row.doubt)
    elif row.pay_state and not row.returned and said_of(row.pay_state) == Said.NOT_PAID:
        say(row, S.IGNORED, row.doubt)
    return row.state in (S.UNREADABLE, S.IGNORED)


def _still_counting(rows: Sequence[StatementRow]) -> None:
    matched = [row for row in rows if row.state == S.MATCHED and row.payment_id is not None]
    wanted = [row.payment_id for row in matched if row.payment_id is not None]
    counting = set(
        Payment.objects.select_for_update(no_key=True)
        .filter(pk__in=wanted, cancelled_at=None)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    for row in matched:
        if row.payment_id not in counting:
            say(row, S.DOUBTFUL, _("Ce règlement est annulé chez nous."), payment=row.payment)
