"""What can go wrong while the trainer's environment is looked for or made."""


class TrainerEnvironmentError(RuntimeError):
    """The environment is missing, broken or cannot be made here; the text says what to do."""
