"""Pages of the back office about money: payments, deposits, corrections, reconciliation, figures."""
