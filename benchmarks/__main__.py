"""`python -m benchmarks [NAME]`: one line a figure; exits 0 whether or not a goal is met."""

import os
import sys


def main() -> None:
    """Start services of our own, set Django up, run what is asked for."""
    from sandbox.attach import services_for_tests
    from sandbox.process import run

    with run.begin() as folder, services_for_tests(folder / "home") as environment:
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
