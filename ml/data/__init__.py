"""Data sets for training and evaluation: readers, duplicates, splits by patient, cache, augmentation."""
