"""Is everything a level needs on this machine? Asked before anything is started."""

from rrm_test_cluster.errors import Missing
from rrm_test_cluster.level import Level
from rrm_test_cluster.node_deps import missing_for_node
from rrm_test_cluster.tools import Tools, ToolsUnavailable, find_tools

_LEVELS = (Level.API, Level.FAKE_NODES, Level.NODE)


def check_requirements(level: Level) -> Tools:
    """Return the verified binaries, or say what is missing.

    Raises:
        Missing: Binaries, packages or rights that the level needs are not here.
    """
    try:
        tools = find_tools()
    except ToolsUnavailable as error:
        raise Missing(level, (str(error),), "run `make cluster-tools`") from error
    if level is Level.NODE and (missing := missing_for_node()):
        lower = _LEVELS[: _LEVELS.index(level)]
        raise Missing(level, missing, "on Debian 12 on x86-64, as root: `make node-deps`", lower)
    return tools
