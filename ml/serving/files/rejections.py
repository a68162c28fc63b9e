"""Why a file is refused before it is graded, and what to do about it."""

from ml.errors import GradingError

MAX_MB = 50
MAX_BYTES = MAX_MB * 1024 * 1024
MAX_PIXELS = 100_000_000
MIN_SIDE_PX = 64
"""Smaller images are icons and thumbnails; no fundus camera makes them."""


def gettext_noop(text: str) -> str:
    """Mark a text for translation; ``screening`` translates it."""
    return text


ACCEPTED = gettext_noop("Send it as JPEG, PNG, TIFF, WebP or DICOM.")
#: What is wrong with a file and what to do, by the code of an InvalidFile.
REJECTIONS = {
    "empty": gettext_noop("The file is empty. Export the photograph from the camera again and upload that file."),
    "too_large": gettext_noop("The file is larger than 50 MB. Export the photograph as JPEG and upload that file."),
    "too_many_pixels": gettext_noop("The photograph has more than 100 megapixels. Export it at the camera's own size."),
    "too_small": gettext_noop("The photograph is smaller than 64 pixels a side. Upload the original, not a thumbnail."),
    "multi_frame": gettext_noop("The file has several images. Export one photograph for each file and upload each."),
    "cmyk": gettext_noop(
        "The photograph is in printing colours (CMYK). Export it in RGB colours and upload that file."
    ),
    "bit_depth": gettext_noop(
        "The photograph has more than 8 bits a colour. Export it with 8 bits and upload that file."
    ),
    "colours": gettext_noop("The photograph has a reduced set of colours. Export it in full RGB colours or in grey."),
    "dicom_compression": gettext_noop(
        "The photograph in this DICOM file is compressed in a way that is not read. Export it as JPEG, as JPEG 2000 or "
        "without compression."
    ),
    "dicom_geometry": gettext_noop(
        "The photograph in this DICOM file is stored mirrored, rotated or stretched. Export it as JPEG or PNG from the "
        "camera's software."
    ),
    "dicom_monochrome": gettext_noop(
        "The photograph in this DICOM file has no colours, as in angiography and red-free photographs. Send the colour "
        "photograph."
    ),
    "dicom_no_photograph": gettext_noop(
        "This DICOM file has no photograph of an eye. Export the colour photograph from the camera's software."
    ),
    "dicom_oct": gettext_noop(
        "This DICOM file is an OCT scan. Export the colour photograph from the camera's software."
    ),
    "dicom_wide_field": gettext_noop(
        "The photograph in this DICOM file is a wide-field one. Send a photograph of 30 to 60 degrees of the macula."
    ),
    "over_limits": gettext_noop(
        "The file needs more memory or time to open than is allowed. Save it as a normal JPEG or PNG and upload that "
        "file."
    ),
    "zip_damaged": gettext_noop(
        "The ZIP archive is damaged. Make it again, or send the photographs without an archive."
    ),
    "zip_empty": gettext_noop("The ZIP archive has no files in it. Choose the archive with the photographs."),
    "zip_encrypted": gettext_noop("The ZIP archive has a password. Send the photographs without one."),
    "zip_nested": gettext_noop("The ZIP archive has another archive in it. Put the photographs into one archive."),
    "zip_paths": gettext_noop(
        "The ZIP archive has links, or paths that lead out of it. Make it again from the folder of the photographs."
    ),
    "zip_too_large": gettext_noop(
        "The ZIP archive unpacks to more than 150 MB. Send the photographs without an archive."
    ),
    "zip_too_many": gettext_noop("The ZIP archive has more than 40 files. Send the photographs of one visit only."),
    "damaged": gettext_noop("The file is damaged or incomplete. Export the photograph again and upload that file."),
}
#: What a file is that is not accepted, by its code. ACCEPTED follows.
OTHER_FORMATS = {
    "not_a_photograph": gettext_noop("This file is not a photograph."),
    "avif": gettext_noop("This is an AVIF file."),
    "bmp": gettext_noop("This is a BMP file."),
    "gif": gettext_noop(
        "This is a GIF file: it has too few colours to be graded. Export the photograph from the camera again."
    ),
    "heic": gettext_noop("This is a HEIC file."),
    "jpeg2000": gettext_noop("This is a JPEG 2000 file."),
    "jpegxl": gettext_noop("This is a JPEG XL file."),
    "oct_e2e": gettext_noop(
        "This is a Heidelberg OCT file (E2E, SDB or VOL). Export the colour photograph from the camera's software."
    ),
    "oct_topcon": gettext_noop(
        "This is a Topcon OCT file (FDA or FDS). Export the colour photograph from the camera's software."
    ),
    "pdf": gettext_noop("This is a PDF document. Export the photograph itself from the camera's software."),
    "ppm": gettext_noop("This is a PPM or PGM file."),
    "svg": gettext_noop("This is an SVG drawing, not a photograph."),
    "video": gettext_noop("This is a video. Export one photograph from the camera's software."),
    "zip": gettext_noop("This is a ZIP archive. Unpack it, or choose it on the page of the exam."),
}


class InvalidFile(GradingError):
    """A file that is refused. ``code`` is for programs, the message for the person who sent it."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(REJECTIONS.get(code) or f"{OTHER_FORMATS[code]} {ACCEPTED}")
