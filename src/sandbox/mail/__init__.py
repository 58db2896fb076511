"""The mail catcher: nothing leaves this machine, everything can be read on a page."""
