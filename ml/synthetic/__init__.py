"""Synthetic fundus photographs for demonstrations and tests."""

from ml.synthetic.camera import Faults, Frame
from ml.synthetic.fundus import FundusDrawing, draw_fundus, drawing_for_grade

__all__ = ["Faults", "Frame", "FundusDrawing", "draw_fundus", "drawing_for_grade"]
