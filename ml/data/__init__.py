"""Data sets for training and evaluation: readers, duplicates, splits, cache, augmentation."""
