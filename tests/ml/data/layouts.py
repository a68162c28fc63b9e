"""Tiny synthetic copies of every layout of a public data set."""

from pathlib import Path

import openpyxl
from PIL import Image

IDRID = "Image name,Retinopathy grade,Risk of macular edema ,,"  # published with empty columns and blanks
EVALUATION = "regular_fundus_images/Online-Challenge1&2-Evaluation"
REGULAR = "regular_fundus_images/regular-fundus-training"

#: Tables by path (cells of spreadsheets are separated by tabs), and photographs by folder.
LAYOUTS: dict[str, dict[str, str]] = {
    "labels.csv": {
        "labels.csv": "file,grade,eye,patient,quality,age,sex,other_disease\n"
        "a.jpg,2,left,7,good,61,Female,1\nb.jpg,0,right,7,,,,0\nc.jpg,4,,,,,,\nd.jpg,1,,,,,,",
        ".": "a.jpg b.jpg c.jpg d.jpg",
    },
    "APTOS 2019": {
        "train.csv": "id_code,diagnosis\n000c1434d8d7,2\n001639a390f0,4",
        "test.csv": "id_code\n0005cfc8afb6",
        "train_images": "000c1434d8d7.png 001639a390f0.png",
    },
    "EyePACS": {
        "trainLabels.csv": "image,level\n10_left,0\n10_right,3\n13_left,1",
        "train/train": "10_left.jpeg 10_right.jpeg 13_left.jpeg",
    },
    "IDRiD": {
        "B. Disease Grading/2. Groundtruths/a. IDRiD_Disease Grading_Training Labels.csv": f"{IDRID}\nIDRiD_001,3,2,,",
        "B. Disease Grading/2. Groundtruths/b. IDRiD_Disease Grading_Testing Labels.csv": f"{IDRID}\n"
        "IDRiD_001 ,4,0,,\n,,,,",
        "B. Disease Grading/1. Original Images/a. Training Set": "IDRiD_001.jpg",
        "B. Disease Grading/1. Original Images/b. Testing Set": "IDRiD_001.jpg",
    },
    "Messidor-2": {
        "messidor_data.csv": "image_id,adjudicated_dr_grade,adjudicated_dme,adjudicated_gradable\n"
        "20051020_43808_0100_PP.png,0,0,1\n20051020_43832_0100_PP.png,2.0,0,1\nIM000012.jpg,,,0",
        "messidor-2.csv": "left;right\n20051020_43832_0100_PP.png;20051020_43808_0100_PP.png",
        "IMAGES": "20051020_43808_0100_PP.png 20051020_43832_0100_PP.png IM000012.JPG",
    },
    "DDR": {
        "DR_grading/train.txt": "007-0004-000.jpg 0\n007-0004-100.jpg 3\n20170323093305605.jpg 5",
        "DR_grading/test.txt": "007-1723-000.jpg 4",
        "DR_grading/train": "007-0004-000.jpg 007-0004-100.jpg 20170323093305605.jpg",
        "DR_grading/test": "007-1723-000.jpg",
        "lesion_segmentation": "007-0004-000.png",
    },
    "DeepDRiD": {
        f"{REGULAR}/regular-fundus-training.csv": "patient_id,image_id,image_path,Overall quality,left_eye_DR_Level,"
        "right_eye_DR_Level,patient_DR_Level\n4,4_l1,\\regular-fundus-training\\4\\4_l1.jpg,0,3,,4\n"
        "4,4_r1,\\regular-fundus-training\\4\\4_r1.jpg,1,,4,4\n"
        "56,56_r3,\\regular-fundus-training\\56\\56_r3.jpg,1,1,,1",
        f"{REGULAR}/Images/4": "4_l1.jpg 4_r1.jpg",
        f"{REGULAR}/Images/56": "56_r3.jpg",
        f"{EVALUATION}/Challenge1_labels.xlsx": "image_id\tDR_Levels\n347_l1\t2\n347_r1\t0",
        f"{EVALUATION}/Challenge2_labels.xlsx": "image_id\tOverall quality\n347_l1\t1\n347_r1\t0",
        f"{EVALUATION}/Images/347": "347_l1.jpg 347_r1.jpg",
    },
    "ODIR-5K": {
        "ODIR-5K_Training_Annotations(Updated)_V2.xlsx": "ID\tPatient Age\tPatient Sex\tLeft-Fundus\tRight-Fundus\t"
        "Left-Diagnostic Keywords\tRight-Diagnostic Keywords\tN\tD\n5\t69\tFemale\t5_left.jpg\t5_right.jpg\tcataract\t"
        "laser spot，moderate non proliferative retinopathy\t0\t1\n"
        "9\t58\tMale\t9_left.jpg\t9_right.jpg\tnormal fundus\tlow image quality\t1\t0",
        "ODIR-5K_Training_Images": "5_left.jpg 5_right.jpg 9_left.jpg 9_right.jpg",
    },
    "a folder per grade": {"train/No_DR": "1.png", "train/Proliferate_DR": "1.png", "test/2": "1.jpg"},
}


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write a layout and return its folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix in {".csv", ".txt"}:
            path.write_text(content + "\n", encoding="utf-8")
        elif path.suffix == ".xlsx":
            book = openpyxl.Workbook()
            for line in content.split("\n"):
                book.worksheets[0].append([int(cell) if cell.isdecimal() else cell for cell in line.split("\t")])
            book.save(path)
        else:
            path.mkdir(exist_ok=True)
            for photo in content.split():
                Image.new("RGB", (8, 8), (170, 90, 50)).save(path / photo)
    return folder
