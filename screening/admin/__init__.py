"""The admin panel, one noun a file."""

from screening.admin import api_keys, audit, exams, patients, reviews, thresholds, users

__all__ = ("api_keys", "audit", "exams", "patients", "reviews", "thresholds", "users")
