"""Views: validate, check access, call one service or selector, respond."""
