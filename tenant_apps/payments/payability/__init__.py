"""Payability: what an invoice is to one reader now, what they can do, and why it cannot be paid (decision 0051).

Every screen, message and file reads it here. `facts` reads the database, `deciding` decides, `words` makes the
sentences, and `reading` has the functions for other rooms.
"""
