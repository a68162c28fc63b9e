"""Health check of the web container: exit code 0 if /health/live answers, else 1."""

import sys
import urllib.error
import urllib.request

try:
    with urllib.request.urlopen("http://127.0.0.1:8000/health/live", timeout=4) as answer:
        sys.exit(0 if answer.status == 200 else 1)
except (urllib.error.URLError, TimeoutError) as error:
    sys.exit(f"The web process does not answer: {error}")
