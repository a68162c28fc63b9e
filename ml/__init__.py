"""Grading of fundus photographs for diabetic retinopathy."""

import os

# NB: before ONNX Runtime is imported. It would store an identifier of the device and send telemetry.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
