"""Texts that pages and the API show for codes: grades, eyes, quality reasons."""
