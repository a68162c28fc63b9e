"""``manage.py hash_photographs``: store the perceptual hashes of photographs that have none."""

from typing import Any

from django.core.management.base import BaseCommand

from screening.services.duplicates import hash_missing


class Command(BaseCommand):
    """May be interrupted and repeated."""

    help = "Store the perceptual hashes of photographs that were uploaded before there were any."

    def handle(self, *_args: Any, **_options: Any) -> None:
        self.stdout.write(f"{hash_missing()} photographs have a hash now.")
