"""The town about itself: name, colours, texts, contacts, settings."""
