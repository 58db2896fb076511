"""The kinds of messages of this room: one declaration each, with its words beside it."""
