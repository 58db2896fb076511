"""The console's pages: forms, filters, words, actions."""
