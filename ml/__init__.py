"""Grading of fundus photographs for diabetic retinopathy."""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # NB: before ONNX Runtime is imported, which else reports its use to its maker
