"""``manage.py export_marks``: write the marks on photographs to a file, for training."""

import json
import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from screening.access import AccessDenied
from screening.models import User
from screening.services.mark_exports import export_marks

_ONLY_OWNER = 0o600


class Command(BaseCommand):
    """The export is in the audit trail of each site, under the name of the manager."""

    help = "Write the marks of signed reviews as JSON in the layout of COCO, without data of patients."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Who exports, from which site, to which file."""
        parser.add_argument("output", type=Path, help="the file to write; it must not exist")
        parser.add_argument("--user", required=True, help="user name of a manager of the site, who takes the data")
        parser.add_argument("--site", default="", help="code of one site; without it, all that the user manages")
        parser.add_argument("--first-readings", action="store_true", help="also the marks of first readings")

    def handle(self, *_args: Any, **options: Any) -> None:
        path: Path = options["output"]
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError("There is no user with this name.")
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _ONLY_OWNER)
        except FileExistsError:
            raise CommandError(f"{path} exists. Choose another file name.") from None
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from None
        with os.fdopen(file, "w", encoding="utf-8") as output:
            try:
                exported = export_marks(
                    site_code=options["site"], has_first_readings=options["first_readings"], by=user
                )
            except AccessDenied as error:
                path.unlink()
                raise CommandError(str(error)) from None
            json.dump(exported, output)
        n_marks, n_images = len(exported["annotations"]), len(exported["images"])
        self.stdout.write(f"{n_marks} marks on {n_images} photographs written to {path}.")
