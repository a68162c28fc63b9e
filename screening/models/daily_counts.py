"""Counts of the dashboard by site and day, kept by a task; which days are to be counted again; its last run."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from screening.models.sites import Site


class DailyCount(models.Model):
    """How many of one kind the exams of a day have: derived rows, which the task replaces if an exam changes.

    ``measure`` and ``dimension`` are those of ``policy.daily_counts``; ``subject`` is the value of the dimension, such
    as the name of a camera or the id of a reader. ``day`` is that of the visit, at the site.
    """

    site = models.ForeignKey(Site, models.PROTECT, related_name="+")
    day = models.DateField(_("day"))
    dimension = models.CharField(_("dimension"), max_length=12)
    subject = models.CharField(_("value of the dimension"), max_length=80, blank=True, default="")
    measure = models.CharField(_("measure"), max_length=16)
    code = models.CharField(_("code"), max_length=40, blank=True, default="")
    n = models.PositiveIntegerField(_("number"))

    class Meta:
        verbose_name = _("count of a day")
        verbose_name_plural = _("counts of days")
        ordering = ["site", "day", "id"]
        indexes = [
            models.Index(
                fields=["site", "dimension", "measure", "day"],
                include=["subject", "code", "n"],
                name="count_by_measure",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "day", "dimension", "subject", "measure", "code"], name="count_once_a_day"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.measure} {self.day}"


class CountedDay(models.Model):
    """A day of a site, and whether its exams or its people have to be counted again."""

    site = models.ForeignKey(Site, models.PROTECT, related_name="+")
    day = models.DateField(_("day"))
    is_pending = models.BooleanField(_("has to be counted"), default=True)
    counted_at = models.DateTimeField(_("counted at"), null=True, blank=True)
    is_register_pending = models.BooleanField(_("people have to be counted"), default=False)
    register_counted_at = models.DateTimeField(_("people counted at"), null=True, blank=True)

    class Meta:
        verbose_name = _("counted day")
        verbose_name_plural = _("counted days")
        ordering = ["-day", "id"]
        indexes = [models.Index(fields=["-day"], name="day_to_count", condition=models.Q(is_pending=True))]
        constraints = [models.UniqueConstraint(fields=["site", "day"], name="counted_day_once")]

    def __str__(self) -> str:
        return f"{self.site_id} {self.day}"


class CountRun(models.Model):
    """The last run of the task that counts: one row, which the health check and the dashboard read.

    ``read_until``: changes up to this time have marked their days.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    ran_at = models.DateTimeField(_("ran at"))
    read_until = models.DateTimeField(_("changes read until"))
    n_pending = models.PositiveIntegerField(_("days that have to be counted"), default=0)

    class Meta:
        verbose_name = _("run of the counts")
        verbose_name_plural = _("runs of the counts")

    def __str__(self) -> str:
        return f"Run at {self.ran_at}"
