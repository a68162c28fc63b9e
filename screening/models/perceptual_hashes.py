"""Perceptual hashes: what photographs look like, to find the same picture again."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from screening.models.images import FundusImage
from screening.models.sites import Site


class PerceptualHash(models.Model):
    """The hash and the small crop of a photograph, from ``ml.perceptual_hash``; both empty for one without detail."""

    image = models.OneToOneField(FundusImage, models.CASCADE, primary_key=True, related_name="perceptual_hash")
    bits = models.BinaryField(_("perceptual hash"))
    crop = models.BinaryField(_("small crop of the field of view"))

    class Meta:
        verbose_name = _("perceptual hash")
        verbose_name_plural = _("perceptual hashes")

    def __str__(self) -> str:
        return f"Perceptual hash of image {self.image_id}"


class PerceptualHashBand(models.Model):
    """One band of a hash with its number, as an integer: copies have at least one band in common.

    ``site`` is that of the exam, so that one index finds the candidates of a site. A photograph never changes its site.
    """

    image = models.ForeignKey(FundusImage, models.CASCADE, related_name="+")
    site = models.ForeignKey(Site, models.CASCADE, related_name="+", db_index=False)
    value = models.PositiveIntegerField(_("band"))

    class Meta:
        verbose_name = _("band of a perceptual hash")
        verbose_name_plural = _("bands of perceptual hashes")
        indexes = [models.Index(fields=["site", "value", "image"], name="hash_band_by_site")]

    def __str__(self) -> str:
        return f"Band {self.value} of image {self.image_id}"
