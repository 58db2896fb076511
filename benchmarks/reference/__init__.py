"""The page beside ours: what a plain django-tenants project (`startproject`, the tutorial) serves by gunicorn.

Not a straw man: connections are kept, templates are cached, the query joins nothing, the page is short. It has the
same things to show: a sentence that sums up and twenty invoices with their state.
"""
