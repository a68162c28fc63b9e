"""Uploaded photographs as files: validation, metadata, thumbnails. No models, no database."""
