"""Formats of dates in pages, by language; Django has those of languages that are not here."""
