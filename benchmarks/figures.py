"""What is measured. Each figure stands beside a peer or a limit measured in the same run."""

from collections.abc import Callable

from benchmarks import imports, listing, towns

FIGURES: dict[str, Callable[[], str]] = {**towns.FIGURES, **imports.FIGURES, **listing.FIGURES}
