"""The admin panel, one noun a file."""

from screening.admin import acuities, api_keys, audit, exams, patients, reviews, thresholds, users

__all__ = ("acuities", "api_keys", "audit", "exams", "patients", "reviews", "thresholds", "users")
