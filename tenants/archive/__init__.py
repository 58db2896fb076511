"""One town in one file: taken out, brought back, erased (docs/decisions/0012)."""
