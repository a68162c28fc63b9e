"""Addresses of the API, one noun a file: parse, ask access, call one service or selector, answer."""
