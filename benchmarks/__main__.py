"""`python -m benchmarks [NAME]`: one line a figure; exits 0 whether or not a goal is met."""

import os
import sys
import tempfile
from pathlib import Path


def main() -> None:
    """Start services of our own, set Django up, run what is asked for."""
    from sandbox.attach import services_for_tests

    with tempfile.TemporaryDirectory() as folder, services_for_tests(Path(folder)) as environment:
        os.environ.update(environment, DJANGO_SETTINGS_MODULE="config.settings")
        import django

        django.setup()
        from benchmarks.figures import FIGURES

        for name, measure in FIGURES.items():
            if len(sys.argv) < 2 or sys.argv[1] == name:
                sys.stdout.write(f"{measure()}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
