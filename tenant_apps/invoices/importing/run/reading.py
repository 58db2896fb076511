"""Read one file: sort its records, store its PDFs, keep its rows for drafts."""

from contextlib import ExitStack

from django.utils.translation import gettext as _

from tenant_apps.invoices.importing.documents.archive import Documents
from tenant_apps.invoices.importing.records.kinds import LABELS, RowProblem
from tenant_apps.invoices.importing.run.checking import Checker
from tenant_apps.invoices.importing.run.drafts import Drafts
from tenant_apps.invoices.importing.run.making import Maker
from tenant_apps.invoices.importing.run.pdfs import Pdfs
from tenant_apps.invoices.importing.run.report import Progress, Records, Report
from tenant_apps.invoices.models import Batch


def read(
    batch: Batch,
    records: Records,
    documents: Documents | None,
    drafts: Drafts,
    progress: Progress,
    *,
    makes_documents: bool = False,
) -> Report:
    """Read everything once, PDFs included. Raises FileError when the whole file cannot be read.

    `makes_documents`: an invoice without PDF gets one made from its data.
    """
    report = Report()
    checker = Checker(batch, documents, makes_documents=makes_documents)
    maker = Maker() if makes_documents else None
    lines: set[int] = set()  # refused after they were read
    with ExitStack() as stack:
        pdfs = stack.enter_context(Pdfs(batch, documents, maker)) if documents or maker else None
        for chunk in checker.chunks(records, report):
            for problem, refused in pdfs.take(chunk) if pdfs is not None else ():
                report.add(problem)
                lines.update(refused)
            report.new += len(chunk.new)
            report.amount += sum(candidate.row.amount for candidate in chunk.new)
            report.amended += sum(known.amends for known in chunk.known)
            report.unchanged += sum(not known.amends for known in chunk.known)
            report.late += sum(known.is_late for known in chunk.known)
            report.questions += sum(known.asks for known in chunk.known)
            drafts.add(chunk, pdfs)
            progress(report.rows)
        _take_away(checker, drafts, report, lines)
        if pdfs is not None:
            report.documents = pdfs.read
        if documents is not None:
            _surplus(checker, documents, report)
    return report


def _take_away(checker: Checker, drafts: Drafts, report: Report, lines: set[int]) -> None:
    """Refuse the rows that others make doubtful: the code, or the PDF, of two families; a number that comes twice."""
    repeated = {line: first for line, _number, _reference, first in drafts.repeated()}
    lines |= repeated.keys()
    for line, number, payer, amount in drafts.refuse(codes=checker.refused_codes, lines=lines):
        report.new -= 1
        report.amount -= amount
        if line in report.refused:
            continue
        if line in repeated:
            sentence = _("« Numéro » figure déjà à la ligne %(line)d : chaque facture a son numéro.")
            problem = RowProblem(line, LABELS["number"], number, sentence % {"line": repeated[line]})
            report.add(problem)
            continue
        cells = {"number": number, "payer": payer, "amount": str(amount).replace(".", ",")}
        if payer in checker.refused_codes:
            sentence = _(
                "Le code « %(code)s » est aussi donné à une autre personne à la ligne %(line)d : donnez à chacune son "
                "code."
            )
            words = {"code": payer, "line": checker.refused_codes[payer]}
            problem = RowProblem(line, LABELS["payer"], payer, sentence % words, cells=cells)
        else:
            sentence = _("Ce PDF est aussi celui d'un autre redevable, plus bas dans le fichier.")
            problem = RowProblem(line, LABELS["document"], number, sentence, cells=cells)
        report.add(problem)


def _surplus(checker: Checker, documents: Documents, report: Report) -> None:
    """PDFs that no row names. Those of refused rows are not called so."""
    plan = getattr(documents, "plan", None)  # of one large PDF that was split
    for sentence in plan.problems() if plan else ():
        report.add(RowProblem(None, LABELS["document"], "", sentence, is_error=False))
    of_refused = {
        documents.find(name, is_file=is_file)
        for cells in report.refused.values()
        for name, is_file in ((cells.get("document"), True), (cells.get("number"), False))
        if name
    }
    for key, name in documents.names():
        if key not in checker.used and key not in of_refused:
            sentence = _("« %(name)s » ne correspond à aucune facture : il sera ignoré.") % {"name": name}
            report.add(RowProblem(None, LABELS["document"], name[:80], sentence, is_error=False))
            report.products.add(None)
