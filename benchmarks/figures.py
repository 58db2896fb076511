"""What is measured. Each figure stands beside a peer or a limit measured in the same run."""

from collections.abc import Callable

from benchmarks import console, documents, imports, listing, settling, sign_in, towns

FIGURES: dict[str, Callable[[], str]] = {
    **towns.FIGURES,
    **imports.FIGURES,
    **documents.FIGURES,
    **settling.FIGURES,
    **listing.FIGURES,
    **console.FIGURES,
    **sign_in.FIGURES,
}
