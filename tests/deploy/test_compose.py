"""The files of a cluster fit together, as far as that shows without starting it."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

import services.analysis.settings
import services.export.settings
import services.intake.settings
from deploy.provisioning import cluster_keys, provision
from deploy.stack.nats_server import CONFIGURATION
from services.runtime import settings

DEPLOY = Path(cluster_keys.__file__).parents[1]
KINDS: dict[str, type[msgspec.Struct]] = {
    "deploy.front": services.intake.settings.Settings,
    "services.analysis": services.analysis.settings.Settings,
    "services.export": services.export.settings.Settings,
    "deploy.provisioning": provision.ProvisionSettings,
}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    cluster_keys.make(tmp_path / "secrets")
    return tmp_path / "secrets"


def _environment(service: dict[str, Any], secrets: Path) -> dict[str, str]:
    told = {name: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(value)) for name, value in service.get("environment", {}).items()}
    for file in service.get("env_file", []):
        for line in (secrets.parent / file).read_text().splitlines():
            name, _, value = line.partition("=")
            told[name] = value.strip("'")
    return told


def test_every_service_takes_the_settings_it_is_given(compose: dict[str, Any], secrets: Path) -> None:
    known = {service["command"][-1]: service for service in compose.values() if "command" in service and service["command"][-1] in KINDS}
    assert known.keys() == KINDS.keys()
    for service in compose.values():
        if (module := service.get("command", [""])[-1]) in KINDS:
            settings.read(KINDS[module], _environment(service, secrets))


def test_nats_is_told_every_variable_of_its_configuration(compose: dict[str, Any], secrets: Path) -> None:
    used = {name for file in CONFIGURATION.glob("*.conf") for name in re.findall(r"\$([A-Z]+(?:_[A-Z]+)+)", file.read_text())}
    for node in cluster_keys.NODES:
        assert used <= _environment(compose[node], secrets).keys()


def test_every_mounted_file_is_there(compose: dict[str, Any], secrets: Path) -> None:
    mounted = [volume.split(":")[0] for service in compose.values() for volume in service.get("volumes", []) if volume.startswith("./")]
    assert mounted
    for path in mounted:
        assert ((secrets.parent if "secrets" in path else DEPLOY) / path).is_file(), path


def test_secrets_are_for_their_owner_alone_and_stay_the_same(secrets: Path) -> None:
    before = {path.name: path.read_bytes() for path in secrets.iterdir()}
    cluster_keys.make(secrets)
    assert before == {path.name: path.read_bytes() for path in secrets.iterdir()}
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in secrets.iterdir())
    if os.geteuid() == 0:
        assert all(path.stat().st_uid == cluster_keys.USER for path in secrets.iterdir())


def test_no_service_is_told_the_secrets_of_another(secrets: Path) -> None:
    passwords = {path.name: path.read_text().strip() for path in secrets.iterdir() if path.suffix == "" and path.name != "record-key"}
    holders = {"intake.env": {"nats-intake"}, "export.env": {"nats-export", "postgres-platea_export"}}
    for file, own in holders.items():
        text = (secrets / file).read_text()
        assert {name for name, password in passwords.items() if password in text} == own


def test_the_public_port_leads_to_the_front(compose: dict[str, Any]) -> None:
    assert compose["intake"]["command"] == ["python", "-m", "deploy.front"]
    assert f"dynamic a intake {compose['intake']['environment']['PLATEA_PORT']}" in (DEPLOY / "Caddyfile").read_text()
    assert [name for name, service in compose.items() if "ports" in service] == ["caddy"]


def test_the_proxy_logs_no_request_and_hands_no_address_to_nats() -> None:
    """Caddy writes whoever met an error into its log, and nats-server whoever was refused something."""
    told = (DEPLOY / "Caddyfile").read_text()
    logging, _, sites = told.partition("{$PLATEA_SITE")
    assert "request delete" in logging
    assert re.search(r"^\s*log\b", sites, re.MULTILINE) is None
    assert "header_up -X-Forwarded-For" in sites.partition("handle /nats")[2].partition("handle {")[0]


def test_the_database_logs_no_connection() -> None:
    told = (DEPLOY / "stack" / "postgresql.conf").read_text()
    assert "log_connections = ''\nlog_disconnections = off\nlog_hostname = off\nlog_line_prefix = '%m [%p] '" in told
