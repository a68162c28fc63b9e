"""``manage.py reading_samples``: computes again which exams of a site were in the samples of the reading protocol."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from screening.models import Exam, Site
from screening.policy.exam_states import ExamState
from screening.policy.protocols import SamplePurpose, is_sampled, sample_number
from screening.selectors.protocols import newest_protocol, protocol_in_force


class Command(BaseCommand):
    """Print the sample number of each exam that a reader signed, for an auditor."""

    help = (
        "Prints as CSV, for each exam of a site that a reader has signed, the number that decides whether it is in a "
        "sample (policy.protocols.sample_number), and whether it is, by the protocol in force or by --percent."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The site, what the sample is for, and its share."""
        parser.add_argument("site", metavar="CODE", help="code of the site")
        purposes = [SamplePurpose.SECOND_READING.value, SamplePurpose.REPEAT.value]
        parser.add_argument("--purpose", choices=purposes, default=purposes[0])
        parser.add_argument("--percent", type=int, help="of another version of the protocol")

    def handle(self, *_args: Any, **options: Any) -> None:
        site = Site.objects.filter(code=options["site"]).first()
        if site is None:
            raise CommandError("There is no site with this code.")
        stored, purpose = newest_protocol(site), SamplePurpose(options["purpose"])
        percent = options["percent"]
        if percent is None and purpose is SamplePurpose.REPEAT:
            percent = protocol_in_force(site).repeat_percent
        elif percent is None and stored is not None:
            percent = stored.negative_percent
        signed = [ExamState.SECOND_READING, ExamState.ARBITRATION, ExamState.SIGNED]
        self.stdout.write("exam,reading_round,number,percent,is_sampled")
        exams = Exam.objects.filter(site=site, status__in=signed).order_by("created_at", "pk")
        for pk, reading_round in exams.values_list("pk", "reading_round").iterator():
            number = sample_number(purpose, pk, reading_round)
            is_in_sample = is_sampled(purpose, pk, reading_round, percent or 0)
            self.stdout.write(f"{pk},{reading_round},{number:.10f},{percent or 0},{'yes' if is_in_sample else 'no'}")
