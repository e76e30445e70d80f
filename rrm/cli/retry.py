"""`rrm retry NAME`: tries a training of a cluster again that has failed."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from rrm.trainings.api_server import connect
from rrm.trainings.reading import read_training
from rrm.trainings.retry import fresh_value, what_follows
from rrm_api import group
from rrm_api.run import ExitCode


def retry(
    name: Annotated[str, typer.Argument(help="A training")],
    *,
    namespace: Annotated[
        str | None, typer.Option("-n", "--namespace", help="Where it is; default: the context's")
    ] = None,
    context: Annotated[
        str | None, typer.Option(help="Context of the kubeconfig; default: the current one")
    ] = None,
) -> int:
    """Try a training again that has failed, with its whole budget of restarts."""
    server = connect(context)
    where = namespace or server.namespace
    follows = what_follows(read_training(server.get(where, name)))
    value = fresh_value(datetime.now(UTC))
    server.annotate(where, name, {group.ANNOTATION_RETRY: value})
    typer.echo(f"{name} in namespace {where} is tried again ({group.ANNOTATION_RETRY}: {value})")
    typer.echo(follows)
    return int(ExitCode.DONE)
