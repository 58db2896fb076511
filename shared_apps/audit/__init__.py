"""The trail: who did what to what, from which value to which; and the facts that other rooms listen to."""
