"""Decide what each row of a file is: by idOp, or by reference, amount and day.

A row that is not certain becomes DOUBTFUL, with its reason in words. A chunk of rows costs a few SQL statements,
whatever its size. Nothing is written here.
"""
