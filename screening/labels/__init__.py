"""Labels of codes: grades, eyes, quality reasons, outcomes, failures. No models."""
