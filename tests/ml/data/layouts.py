"""Tiny synthetic copies of every layout of a public data set."""

from pathlib import Path

import openpyxl
from PIL import Image


def photo(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), (170, 90, 50)).save(path)


def table(path: Path, *lines: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def sheet(path: Path, *rows: tuple[str | int, ...]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(path)


def own(folder: Path) -> None:
    table(
        folder / "labels.csv",
        "file,grade,eye,patient,quality,age,sex,other_disease",
        "a.jpg,2,left,7,good,61,Female,1",
        "b.jpg,0,right,7,,,,0",
    )
    photo(folder / "a.jpg")
    photo(folder / "b.jpg")


def aptos(folder: Path) -> None:
    table(folder / "train.csv", "id_code,diagnosis", "000c1434d8d7,2", "001639a390f0,4")
    table(folder / "test.csv", "id_code", "0005cfc8afb6")
    photo(folder / "train_images" / "000c1434d8d7.png")
    photo(folder / "train_images" / "001639a390f0.png")


def eyepacs(folder: Path) -> None:
    table(folder / "trainLabels.csv", "image,level", "10_left,0", "10_right,3", "13_left,1")
    for name in ("10_left", "10_right", "13_left"):
        photo(folder / "train" / "train" / f"{name}.jpeg")


def idrid(folder: Path) -> None:
    root = folder / "B. Disease Grading"
    header = "Image name,Retinopathy grade,Risk of macular edema ,,"  # published with empty columns and blanks
    table(root / "2. Groundtruths" / "a. IDRiD_Disease Grading_Training Labels.csv", header, "IDRiD_001,3,2,,")
    table(root / "2. Groundtruths" / "b. IDRiD_Disease Grading_Testing Labels.csv", header, "IDRiD_001 ,4,0,,", ",,,,")
    photo(root / "1. Original Images" / "a. Training Set" / "IDRiD_001.jpg")
    photo(root / "1. Original Images" / "b. Testing Set" / "IDRiD_001.jpg")


def messidor(folder: Path) -> None:
    table(
        folder / "messidor_data.csv",
        "image_id,adjudicated_dr_grade,adjudicated_dme,adjudicated_gradable",
        "20051020_43808_0100_PP.png,0,0,1",
        "20051020_43832_0100_PP.png,2.0,0,1",
        "IM000012.jpg,,,0",
    )
    table(folder / "messidor-2.csv", "left;right", "20051020_43832_0100_PP.png;20051020_43808_0100_PP.png")
    photo(folder / "IMAGES" / "20051020_43808_0100_PP.png")
    photo(folder / "IMAGES" / "20051020_43832_0100_PP.png")
    photo(folder / "IMAGES" / "IM000012.JPG")


def ddr(folder: Path) -> None:
    root = folder / "DR_grading"
    table(root / "train.txt", "007-0004-000.jpg 0", "007-0004-100.jpg 3", "20170323093305605.jpg 5")
    table(root / "test.txt", "007-1723-000.jpg 4")
    for name in ("train/007-0004-000", "train/007-0004-100", "train/20170323093305605", "test/007-1723-000"):
        photo(root / f"{name}.jpg")
    photo(folder / "lesion_segmentation" / "007-0004-000.png")


def deepdrid(folder: Path) -> None:
    root = folder / "regular_fundus_images"
    table(
        root / "regular-fundus-training" / "regular-fundus-training.csv",
        "patient_id,image_id,image_path,Overall quality,left_eye_DR_Level,right_eye_DR_Level,patient_DR_Level",
        "4,4_l1,\\regular-fundus-training\\4\\4_l1.jpg,0,3,,4",
        "4,4_r1,\\regular-fundus-training\\4\\4_r1.jpg,1,,4,4",
        "56,56_r3,\\regular-fundus-training\\56\\56_r3.jpg,1,1,,1",
    )
    evaluation = root / "Online-Challenge1&2-Evaluation"
    sheet(evaluation / "Challenge1_labels.xlsx", ("image_id", "DR_Levels"), ("347_l1", 2), ("347_r1", 0))
    sheet(evaluation / "Challenge2_labels.xlsx", ("image_id", "Overall quality"), ("347_l1", 1), ("347_r1", 0))
    for name in ("4/4_l1", "4/4_r1", "56/56_r3"):
        photo(root / "regular-fundus-training" / "Images" / f"{name}.jpg")
    for name in ("347/347_l1", "347/347_r1"):
        photo(evaluation / "Images" / f"{name}.jpg")


def odir(folder: Path) -> None:
    sheet(
        folder / "ODIR-5K_Training_Annotations(Updated)_V2.xlsx",
        (
            *("ID", "Patient Age", "Patient Sex", "Left-Fundus", "Right-Fundus"),
            *("Left-Diagnostic Keywords", "Right-Diagnostic Keywords", "N", "D"),
        ),
        (
            *(5, 69, "Female", "5_left.jpg", "5_right.jpg"),
            *("cataract", "laser spot，moderate non proliferative retinopathy", 0, 1),
        ),
        (9, 58, "Male", "9_left.jpg", "9_right.jpg", "normal fundus", "low image quality", 1, 0),
    )
    for name in ("5_left", "5_right", "9_left", "9_right"):
        photo(folder / "ODIR-5K_Training_Images" / f"{name}.jpg")


def grade_folders(folder: Path) -> None:
    photo(folder / "train" / "No_DR" / "1.png")
    photo(folder / "train" / "Proliferate_DR" / "1.png")
    photo(folder / "test" / "2" / "1.jpg")


LAYOUTS = {
    "labels.csv": own,
    "APTOS 2019": aptos,
    "EyePACS": eyepacs,
    "IDRiD": idrid,
    "Messidor-2": messidor,
    "DDR": ddr,
    "DeepDRiD": deepdrid,
    "ODIR-5K": odir,
    "a folder per grade": grade_folders,
}
