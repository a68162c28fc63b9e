"""Tables as migration 0063 left them, and the triggers of append-only tables."""
