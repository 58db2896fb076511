"""What each line is: by idOp, or by reference, amount and day. What is not certain is doubtful, and says so in words.

A chunk of lines costs a handful of statements, whatever its size; nothing is written here.
"""
