"""One running portal for all faults of payments (they share an xdist worker)."""

from collections.abc import Iterator

import pytest

from sandbox.payfip.knobs import DEFAULTS
from tests.faults.payer import Bill, Payer, new_bill
from tests.faults.stack import PARTS, Stack, running_stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("payment") / "home") as found:
        yield found


@pytest.fixture(scope="session")
def payer(stack: Stack) -> Payer:
    return Payer(stack).sign_in()


@pytest.fixture
def bill(stack: Stack) -> Iterator[Bill]:
    """An invoice to pay; the Treasury is well again afterwards, and what a failed test had killed runs."""
    yield new_bill(stack)
    stack.start(*(name for name in PARTS if name not in stack.processes))
    stack.behave(**DEFAULTS)
