"""Serializers of requests and responses, one noun a file. They check shape; services check the data."""
