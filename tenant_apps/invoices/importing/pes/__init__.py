"""The parts of a PES V2 « recette aller », which billing software sends to the Treasury (docs/imports.md §4)."""
