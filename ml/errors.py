"""Exceptions of the grading system. Each message is a sentence for the person who can act on it."""


class GradingError(Exception):
    """A photograph could not be read or graded. The message is for the person who sent it."""


class DecoderUnavailable(Exception):
    """No child process could decode a photograph in time. A retry may succeed."""


class BundleError(Exception):
    """A bundle is missing, altered or made for other software. The message names the folder and what to do."""


class InputError(ValueError):
    """A setting, a file or a data set cannot be used. The message names it and says what is wrong."""
