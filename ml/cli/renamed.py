"""Names that commands and options had before, and their names today."""

COMMANDS = {
    "blend": "average",
    "table": "results (with --left-out: external)",
    "pointing": "pointing-game",
    "recalibrate": "export, which calibrates",
}
OPTIONS = {
    **dict.fromkeys(("--to", "--out", "--run", "--heatmap"), "--output"),
    **dict.fromkeys(("--teacher", "--further-teachers"), "--teachers"),
    "--ask-in-bf16": "--teacher-bf16",
    "--batch": "--batch-size",
    "--cache-side-px": "--cache-size",
    "--drawn": "--synthetic",
    "--equalised-share": "--equalize-prob",
    "--even-if-ungradable": "--include-ungradable",
    "--frozen": "--freeze",
    "--n-epochs": "--epochs",
    "--n-threads": "--threads",
    "--network": "--architecture",
    "--ordinal-sharpness": "--sord-alpha",
    "--rare-grade-power": "--class-balance-power",
    "--share": "--alpha",
    "--side-px": "--image-size (of prepare: --cache-size)",
    "--start": "--init-from",
    "--unlabelled-share": "--unlabelled-fraction",
    "--use-bf16": "--bf16",
    "--weight": "--distill-loss-weight",
}


def renaming(command: str, arguments: list[str]) -> str | None:
    """A sentence with the new name, if the command or one of its options has an old one."""
    if command in COMMANDS:
        return f"The command {command} is now {COMMANDS[command]}."
    options = (argument.partition("=")[0] for argument in arguments)
    old = next((option for option in options if option in OPTIONS), None)
    return None if old is None else f"The option {old} is now {OPTIONS[old]}."
