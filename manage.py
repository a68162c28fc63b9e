"""Command line of Django: ``python manage.py migrate``, ``check``, ``runserver``, ``bootstrap``, ``doctor``."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "drsite.settings")
    if sys.argv[1:2] == ["prepare"]:
        sys.exit("The command prepare is now called bootstrap. Run: python manage.py bootstrap")
    execute_from_command_line(sys.argv)
