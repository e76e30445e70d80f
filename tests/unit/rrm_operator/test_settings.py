"""Settings that would break every training are refused at the start."""

import pytest
from pydantic import ValidationError

from rrm_operator.settings import Settings


def test_a_default_pod_template_that_cannot_be_merged_is_refused_with_its_path() -> None:
    with pytest.raises(ValidationError, match=r"defaultPodTemplate\.spec\.containers is a mapping"):
        Settings(default_image="x", default_pod_template={"spec": {"containers": {"name": "trainer"}}})
