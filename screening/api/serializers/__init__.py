"""Shapes of requests and answers, one noun a file. A serializer checks shape; services check truth."""
