"""What a started cluster left in the world, kept in a file, so that any process can take it down again."""

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from rrm_test_cluster.level import Level
from rrm_test_cluster.processes import ProcessId, this_boot

STATE_FILE = "state.json"


@dataclass(frozen=True)
class State:
    """The traces of one cluster.

    Attributes:
        folder: Everything it wrote.
        level: What was asked for.
        is_temporary: Whether the whole folder goes at the end, or its logs stay.
        daemons: Name and process in the order of their start.
        holder: The process whose namespaces the daemons live in (node level).
        mount_namespace: Its mount namespace, which outlives the holder as long as a daemon lives.
        cable: This host's end of the cable to the node (node level).
        cgroup: Name of the control group the pods are in (node level).
        made_folders: Empty mount points that had to be made on the host (node level).
        boot: The boot of the machine it was started in: no number above means anything after another one.
    """

    folder: Path
    level: Level
    is_temporary: bool
    daemons: tuple[tuple[str, ProcessId], ...] = ()
    holder: ProcessId | None = None
    mount_namespace: str = ""
    cable: str = ""
    cgroup: str = ""
    made_folders: tuple[Path, ...] = ()
    boot: str = field(default_factory=this_boot)

    def save(self) -> None:
        """Write the file; whole or not at all, as another process may read it at any time."""
        partial = self.folder / (STATE_FILE + ".partial")
        partial.write_text(json.dumps(asdict(self), default=str))
        partial.rename(self.folder / STATE_FILE)

    @classmethod
    def load(cls, folder: Path) -> "State":
        """Read the file of a cluster folder.

        Raises:
            FileNotFoundError: No cluster was started there.
        """
        raw = json.loads((folder / STATE_FILE).read_text())
        return cls(
            folder=folder,
            level=Level(raw["level"]),
            is_temporary=raw["is_temporary"],
            daemons=tuple((name, ProcessId(**process)) for name, process in raw["daemons"]),
            holder=ProcessId(**raw["holder"]) if raw["holder"] else None,
            mount_namespace=raw["mount_namespace"],
            cable=raw["cable"],
            cgroup=raw["cgroup"],
            made_folders=tuple(Path(path) for path in raw["made_folders"]),
            boot=raw["boot"],
        )


@dataclass
class Ledger:
    """The state of a cluster that is being started: each change is on disk before the next step."""

    state: State = field()

    def add_daemon(self, name: str, process: ProcessId) -> None:
        """Note a daemon."""
        self.update(daemons=(*self.state.daemons, (name, process)))

    def remove_daemon(self, name: str) -> ProcessId:
        """Forget a daemon that is being stopped, and return its process."""
        [process] = [process for known, process in self.state.daemons if known == name]
        self.update(daemons=tuple(daemon for daemon in self.state.daemons if daemon[0] != name))
        return process

    def update(self, **changes: object) -> None:
        """Replace fields of the state and write it."""
        self.state = replace(self.state, **changes)  # type: ignore[arg-type]
        self.state.save()
