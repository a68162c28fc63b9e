"""Imports of files: read, checked in the background, shown, and written as a whole or not at all.

django-import-export has the columns and the conversion of cells. Its own workflow keeps the file in memory, runs in one
request and cannot be cancelled: docs/decisions/0009-imports.md.
"""
