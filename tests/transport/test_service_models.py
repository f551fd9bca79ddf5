"""The loader of service models reads what botocore's own loader reads."""

from __future__ import annotations

import json
from pathlib import Path

import botocore.session
import pytest
from botocore.exceptions import ProfileNotFound, UnknownServiceError
from botocore.loaders import Loader

from cognito_flow._transport import service_models
from cognito_flow._transport.service_models import ModelLoader


@pytest.mark.parametrize("service", ["cognito-idp", "cognito-identity"])
@pytest.mark.parametrize("kind", ["service-2", "endpoint-rule-set-1"])
def test_model_has_what_botocore_reads_in_the_same_order(service: str, kind: str) -> None:
    ours, theirs = (loader.load_service_model(service, kind) for loader in (ModelLoader(), Loader()))

    assert json.dumps(ours) == json.dumps(theirs)


def test_model_in_aws_data_path_comes_before_botocores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "cognito-idp" / "2030-01-01"
    folder.mkdir(parents=True)
    (folder / "service-2.json").write_text('{"version": "2.0"}')
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))

    loader = service_models.session().get_component("data_loader")

    assert loader.load_service_model("cognito-idp", "service-2") == {"version": "2.0"}


def test_session_loads_with_our_loader_from_where_botocore_would() -> None:
    ours = service_models.session().get_component("data_loader")
    theirs = botocore.session.Session().get_component("data_loader")

    assert type(ours) is ModelLoader
    assert ours.search_paths == theirs.search_paths
    assert ours.search_paths.count(Loader.BUILTIN_DATA_PATH) == 1


def test_session_takes_other_places_for_configuration_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "missing")
    with pytest.raises(ProfileNotFound):
        service_models.session()

    session = service_models.session({"profile": (None, None, None, None)})

    assert session.get_config_variable("profile") is None


def test_session_can_make_the_clients_that_fetch_credentials() -> None:
    session = service_models.session()

    assert session.create_client("sts", "eu-west-1").meta.service_model.service_name == "sts"


def test_unknown_service_raises_unknown_service_error() -> None:
    with pytest.raises(UnknownServiceError):
        ModelLoader().load_service_model("no-such-service", "service-2")
