"""What an invoice is and what can be done with it now: one answer for every screen, message and file (decision 0051).

`facts` reads, `deciding` decides, `words` says it, `reading` is what other rooms call.
"""
