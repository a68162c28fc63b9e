"""DICOM files of ophthalmic photography for tests."""

import warnings
from io import BytesIO
from typing import Any

from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import JPEG2000, ExplicitVRLittleEndian, JPEG2000Lossless, JPEGBaseline8Bit, RLELossless

from tests.builders import photo_bytes

OPHTHALMIC_8_BIT = "1.2.840.10008.5.1.4.1.1.77.1.5.1"
PERSON = {"PatientID": "MRN-1", "PatientName": "Lovelace^Ada", "PatientBirthDate": "19601210"}


def header(size_px: tuple[int, int], **values: Any) -> Dataset:
    """A header of a colour photograph of the right eye; ``values`` replace elements, None deletes one."""
    dataset = Dataset()
    facts: dict[str, Any] = {
        "SpecificCharacterSet": "ISO_IR 192",
        "SOPClassUID": OPHTHALMIC_8_BIT,
        "SOPInstanceUID": "2.25.1",
        "StudyInstanceUID": "2.25.2",
        "ContentDate": "20260301",
        "Modality": "OP",
        "Manufacturer": "Optics",
        "ManufacturerModelName": "Camera 45",
        **PERSON,
        "ImageLaterality": "R",
        "SamplesPerPixel": 3,
        "PhotometricInterpretation": "YBR_FULL_422",
        "PlanarConfiguration": 0,
        "NumberOfFrames": 1,
        "Columns": size_px[0],
        "Rows": size_px[1],
        "BitsAllocated": 8,
        "BitsStored": 8,
        "HighBit": 7,
        "PixelRepresentation": 0,
        **values,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of values that are wrong on purpose
        for name, value in facts.items():
            if value is not None:
                setattr(dataset, name, value)
    return dataset


def written(dataset: Dataset, syntax: str, *, has_preamble: bool = True) -> bytes:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax  # type: ignore[assignment]
    dataset.file_meta.MediaStorageSOPClassUID = dataset.get("SOPClassUID", OPHTHALMIC_8_BIT)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    file = BytesIO()
    if not has_preamble:
        del dataset.file_meta
        dataset.save_as(file, implicit_vr=False, little_endian=True, enforce_file_format=False)
    else:
        dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def dicom_jpeg(jpeg: bytes | None = None, *others: bytes, has_preamble: bool = True, **values: Any) -> bytes:
    """A file with a baseline JPEG, and with ``others`` behind it."""
    jpeg = photo_bytes(size=(480, 360)) if jpeg is None else jpeg
    with Image.open(BytesIO(jpeg)) as photo:
        dataset = header(photo.size, **values)
    dataset.PixelData = encapsulate([jpeg, *others])
    dataset["PixelData"].is_undefined_length = True
    return written(dataset, JPEGBaseline8Bit, has_preamble=has_preamble)


def dicom_pixels(
    image: Image.Image, colours: str = "RGB", *, is_planar: bool = False, n_pictures: int = 1, **values: Any
) -> bytes:
    """An uncompressed file."""
    pixels = image.convert("YCbCr" if colours == "YBR_FULL" else "RGB")
    planes = b"".join(plane.tobytes() for plane in pixels.split())
    facts: dict[str, Any] = {"PhotometricInterpretation": colours, "PlanarConfiguration": int(is_planar), **values}
    dataset = header(image.size, **facts)
    dataset.PixelData = planes if is_planar else n_pictures * pixels.tobytes()
    dataset["PixelData"].VR = "OB"
    return written(dataset, ExplicitVRLittleEndian)


def dicom_run_length(image: Image.Image) -> bytes:
    """A run-length coded file."""
    dataset = header(image.size, PhotometricInterpretation="RGB")
    dataset.file_meta = FileMetaDataset()
    dataset.PixelData = image.tobytes()
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.compress(RLELossless)
    return written(dataset, RLELossless)


def dicom_jpeg_2000(
    *images: Image.Image, is_lossless: bool = True, is_transformed: bool = True, **values: Any
) -> bytes:
    """A file with a JPEG 2000 for each image."""
    coded = []
    for image in images:
        file = BytesIO()
        image.save(file, "JPEG2000", irreversible=not is_lossless, no_jp2=True, mct=int(is_transformed))
        coded.append(file.getvalue())
    colours = "YBR_RCT" if is_lossless else "YBR_ICT"
    dataset = header(images[0].size, **{"PhotometricInterpretation": colours, **values})
    dataset.PixelData = encapsulate(coded)
    dataset["PixelData"].is_undefined_length = True
    return written(dataset, JPEG2000Lossless if is_lossless else JPEG2000)


def coded_field(code: str) -> Sequence:
    """The position of the image relative to the eye."""
    one = Dataset()
    one.CodeValue, one.CodingSchemeDesignator = code, "DCM"
    return Sequence([one])
