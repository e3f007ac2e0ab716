"""A misspelt setting stops the start and is named; what Kubernetes injects beside it does not."""

from __future__ import annotations

import msgspec
import pytest

from deploy.provisioning.provision import ProvisionSettings as Provision
from deploy.stack.up import StackSettings as Up
from services.analysis.settings import Settings as Analysis
from services.export.settings import Settings as Export
from services.intake.settings import Settings as Intake
from services.runtime import settings
from services.runtime.settings import UnknownSetting

# What a pod gets beside Services named platea, platea-intake, platea-analysis, platea-nats and platea-url.
INJECTED = {
    "PLATEA_SERVICE_HOST": "10.0.0.1",
    "PLATEA_SERVICE_PORT": "8000",
    "PLATEA_SERVICE_PORT_HTTP": "8000",
    "PLATEA_SERVICE_PORT_HTTP_METRICS": "9000",
    "PLATEA_PORT": "tcp://10.0.0.1:8000",
    "PLATEA_PORT_8000_TCP": "tcp://10.0.0.1:8000",
    "PLATEA_PORT_8000_TCP_PROTO": "tcp",
    "PLATEA_PORT_8000_TCP_PORT": "8000",
    "PLATEA_PORT_8000_TCP_ADDR": "10.0.0.1",
    "PLATEA_INTAKE_SERVICE_HOST": "fd00::1",
    "PLATEA_INTAKE_SERVICE_PORT": "8000",
    "PLATEA_INTAKE_PORT": "tcp://[fd00::1]:8000",
    "PLATEA_INTAKE_PORT_8000_TCP_ADDR": "fd00::1",
    "PLATEA_ANALYSIS_PORT": "tcp://10.0.0.2:8001",
    "PLATEA_ANALYSIS_PORT_8001_TCP": "tcp://10.0.0.2:8001",
    "PLATEA_NATS_PORT": "udp://10.0.0.3:4222",
    "PLATEA_NATS_PORT_4222_UDP_PROTO": "udp",
    "PLATEA_NATS_PORT_4223_SCTP": "sctp://10.0.0.3:4223",
    "PLATEA_URL_PORT": "tcp://10.0.0.4:80",
    "PLATEA_URL_SERVICE_HOST": "10.0.0.4",
}
SERVICES: list[tuple[type[msgspec.Struct], dict[str, str]]] = [
    (Up, {}),
    (Intake, {"PLATEA_NATS_URL": "nats://n"}),
    (Provision, {"PLATEA_NATS_URL": "nats://n", "PLATEA_DATABASE_URL": "postgresql://p"}),
    (Export, {"PLATEA_NATS_URL": "nats://n", "PLATEA_DATABASE_URL": "postgresql://p", "PLATEA_RELEASES": "releases"}),
    (Analysis, {"PLATEA_NATS_URL": "nats://n", "PLATEA_DATABASE_URL": "postgresql://p", "PLATEA_PARTITIONS": "none"}),
]


@pytest.mark.parametrize(("kind", "needed"), SERVICES)
def test_services_of_that_name_beside_it_change_nothing(kind: type[msgspec.Struct], needed: dict[str, str]) -> None:
    assert settings.read(kind, needed | INJECTED) == settings.read(kind, needed)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PLATEA_PROT", "8000"),
        ("PLATEA_PORTS", "tcp://10.0.0.1:8000"),
        ("PLATEA_NATS_URI", "nats://n"),
        ("PLATEA_NATS_PORT", "4222"),
        ("PLATEA_ANALYSIS_PORT", "http://analysis:8001"),
        ("PLATEA_SERVICE", "10.0.0.1"),
        ("PLATEA_SERVICE_HOST", "intake.example"),
        ("PLATEA_SERVICE_PORT", "http"),
        ("PLATEA_PORT_8000_TCP_ADDRESS", "10.0.0.1"),
        ("PLATEA_PORT_8000", "8000"),
    ],
)
@pytest.mark.parametrize(("kind", "needed"), SERVICES)
def test_what_only_looks_like_it_stops_the_start_and_is_named(
    kind: type[msgspec.Struct], needed: dict[str, str], name: str, value: str
) -> None:
    with pytest.raises(UnknownSetting, match=f"^{name} is not a setting of this service"):
        settings.read(kind, needed | INJECTED | {name: value})


def test_a_port_that_somebody_chose_is_still_read_and_still_checked() -> None:
    needed = {"PLATEA_NATS_URL": "nats://n"}
    assert settings.read(Intake, needed | INJECTED | {"PLATEA_PORT": "8123"}).port == 8123
    with pytest.raises(UnknownSetting, match="PLATEA_PORT does not fit"):
        settings.read(Intake, needed | {"PLATEA_PORT": "http://10.0.0.1:8000"})
