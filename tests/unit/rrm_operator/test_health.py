"""Where it answers probes: an address that it cannot have ends the start with words."""

import socket

import pytest

from rrm_operator.errors import OperatorError
from rrm_operator.health import health_server
from rrm_operator.settings import Settings


async def test_an_address_that_somebody_has_is_named_with_the_settings_that_chose_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        port = somebody.getsockname()[1]
        settings = Settings(default_image="i", http_address="127.0.0.1", http_port=port)
        with pytest.raises(
            OperatorError, match=rf"RRM_HTTP_PORT.*127\.0\.0\.1:{port}.*address already in use"
        ):
            async with health_server(settings, is_alive=lambda: True, is_ready=lambda: True):
                pass


async def test_an_address_that_this_machine_does_not_have_is_named() -> None:
    settings = Settings(default_image="i", http_address="192.0.2.1", http_port=0)
    with pytest.raises(OperatorError, match=r"RRM_HTTP_ADDRESS.*192\.0\.2\.1"):
        async with health_server(settings, is_alive=lambda: True, is_ready=lambda: True):
            pass
