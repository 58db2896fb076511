"""The ledger of every act on money, and the order in which rows about money are locked."""
