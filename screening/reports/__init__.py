"""Documents as PDF: the engine that makes them, and the clinical report."""
