"""`rrm import`: launch scripts of RM-Gallery and OpenJudge become trainings (`import_script`)."""

from rrm.seed_import.build import Imported, Request, import_script

__all__ = ["Imported", "Request", "import_script"]
