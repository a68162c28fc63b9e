"""Names that commands and options had before, and their names today."""

COMMANDS = {
    "blend": "average",
    "table": "results (with --left-out: external)",
    "pointing": "pointing-game",
    "recalibrate": "export, which calibrates",
}
OUTPUT = {"--to": "--output", "--out": "--output", "--run": "--output", "--show": "--output", "--heatmap": "--output"}
TRAINING = {
    "--n-epochs": "--epochs",
    "--batch": "--batch-size",
    "--side-px": "--image-size",
    "--cache-side-px": "--cache-size",
    "--network": "--architecture",
    "--use-bf16": "--bf16",
    "--n-threads": "--threads",
    "--start": "--init-from",
    "--frozen": "--freeze",
    "--ordinal-sharpness": "--sord-alpha",
    "--rare-grade-power": "--class-balance-power",
    "--equalised-share": "--equalize-prob",
    "--teacher": "--teachers",
    "--further-teachers": "--teachers",
    "--ask-in-bf16": "--teacher-bf16",
    "--weight": "--distill-loss-weight",
    "--unlabelled-share": "--unlabelled-fraction",
}
OPTIONS = {
    "grade": {"--even-if-ungradable": "--include-ungradable"},
    "prepare": {"--side-px": "--cache-size"},
    "train": TRAINING,
    "distill": TRAINING,
    "average": {"--share": "--alpha"},
    "export": {"--side-px": "--image-size"},
    "pointing-game": {"--drawn": "--synthetic"},
    "quality train": TRAINING,
}


def renaming(command: str, arguments: list[str]) -> str | None:
    """A sentence with the new name, if the command or one of its options has an old one."""
    if command in COMMANDS:
        return f"The command {command} is now {COMMANDS[command]}."
    renamed = OUTPUT | OPTIONS.get(command, {})
    old = next((a.partition("=")[0] for a in arguments if a.partition("=")[0] in renamed), None)
    return None if old is None else f"The option {old} is now {renamed[old]}."
