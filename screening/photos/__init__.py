"""Photographs as files: validation, metadata, thumbnails. No models, no database."""
