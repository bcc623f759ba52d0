"""What every schema registry does, the real one and its twin alike."""

from __future__ import annotations

import json
import uuid
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

import schemas
from streams.avro.codec import Codec
from streams.config import Settings
from streams.errors import IncompatibleSchema, SchemaNotRegistered, SettingsError, Unavailable, Unreadable
from streams.registry.registry import FULL_TRANSITIVE, ConfluentRegistry, Registry
from streams.topics import Topics
from tests.contracts.words import without_words
from tests.schemas.evolutions import BAD, BASE, GOOD


@pytest.fixture
def subject() -> str:
    return f"test.{uuid.uuid4()}-value"


async def test_a_registered_schema_comes_back_by_its_id(registry: Registry, subject: str) -> None:
    """What was registered is what readers get, documentation and all."""
    schema_id = await registry.register(subject, BASE)
    assert await registry.schema(schema_id) == BASE
    assert await registry.id_of(subject, BASE) == schema_id


async def test_registering_twice_is_registering_once(registry: Registry, subject: str) -> None:
    """The same schema keeps its id and makes no second version."""
    first = await registry.register(subject, BASE)
    assert await registry.register(subject, BASE) == first
    assert await registry.versions(subject) == [1]


async def test_the_order_of_keys_makes_no_other_schema(registry: Registry, subject: str) -> None:
    """The same schema written down differently is recognised."""
    first = await registry.register(subject, BASE)
    turned = dict(reversed(BASE.items()))
    assert list(turned) != list(BASE)
    assert await registry.id_of(subject, turned) == first
    assert await registry.register(subject, turned) == first
    assert await registry.versions(subject) == [1]


async def test_a_schema_may_serve_two_subjects(registry: Registry, subject: str) -> None:
    """Outcomes travel on two topics; a reader finds the schema by either's id."""
    one, other = await registry.register(subject, BASE), await registry.register(f"other-{subject}", BASE)
    assert await registry.schema(one) == await registry.schema(other) == BASE


async def test_an_unregistered_schema_says_what_to_run(registry: Registry, subject: str) -> None:
    """Who starts before the set-up is told the command that was forgotten."""
    with pytest.raises(SchemaNotRegistered, match=rf"{subject}.*careline schemas apply"):
        await registry.id_of(subject, BASE)
    await registry.register(subject, BASE)
    with pytest.raises(SchemaNotRegistered):
        await registry.id_of(subject, next(iter(GOOD.values())))


async def test_a_later_registration_is_seen(registry: Registry, subject: str) -> None:
    """Not finding a schema is not remembered."""
    with pytest.raises(SchemaNotRegistered):
        await registry.id_of(subject, BASE)
    assert await registry.register(subject, BASE) == await registry.id_of(subject, BASE)


@pytest.mark.parametrize("schema_id", [0, 987_654_321, 2**31, 2**32 - 1])
async def test_an_unknown_id_is_unreadable(registry: Registry, schema_id: int) -> None:
    """Any four bytes may stand where the id should be."""
    with pytest.raises(Unreadable) as caught:
        await registry.schema(schema_id)
    assert caught.value.reason == "unknown_schema"
    assert str(schema_id) in caught.value.detail


async def test_an_unknown_subject_has_no_versions(registry: Registry, subject: str) -> None:
    """Asking is no error."""
    assert await registry.versions(subject) == []
    assert await registry.compatibility(subject) is None


async def test_the_compatibility_level_is_kept(registry: Registry, subject: str) -> None:
    """It can be set before the subject exists, and again after."""
    await registry.set_compatibility(subject, FULL_TRANSITIVE)
    await registry.register(subject, BASE)
    assert await registry.compatibility(subject) == FULL_TRANSITIVE
    await registry.set_compatibility(subject, FULL_TRANSITIVE)
    assert await registry.compatibility(subject) == FULL_TRANSITIVE


REWORDED = "other documentation"


@pytest.mark.parametrize("name", [name for name in GOOD if name != REWORDED])
async def test_a_compatible_version_is_taken(registry: Registry, subject: str, name: str) -> None:
    """What the contract allows, the registry allows."""
    await registry.set_compatibility(subject, FULL_TRANSITIVE)
    first = await registry.register(subject, BASE)
    assert await registry.register(subject, GOOD[name]) != first
    assert await registry.versions(subject) == [1, 2]


async def test_a_version_that_is_only_worded_otherwise_is_found(registry: Registry, subject: str) -> None:
    """Some registries make a version of it and some know it already; its records are read the same either way."""
    await registry.set_compatibility(subject, FULL_TRANSITIVE)
    first = await registry.register(subject, BASE)
    reworded = await registry.register(subject, GOOD[REWORDED])
    assert await registry.id_of(subject, GOOD[REWORDED]) == reworded
    assert await registry.id_of(subject, BASE) == first
    assert (await registry.schema(reworded))["fields"] == BASE["fields"]


@pytest.mark.parametrize("name", [name for name, evolution in BAD.items() if evolution.refused_by_registry])
async def test_an_incompatible_version_is_refused(registry: Registry, subject: str, name: str) -> None:
    """The refusal names the subject and the registry's reason, and leaves the subject as it was."""
    await registry.set_compatibility(subject, FULL_TRANSITIVE)
    await registry.register(subject, BASE)
    with pytest.raises(IncompatibleSchema) as caught:
        await registry.register(subject, BAD[name].schema)
    assert caught.value.subject == subject
    assert len(caught.value.reason) > 10
    assert await registry.versions(subject) == [1]


@pytest.mark.parametrize("name", [name for name, evolution in BAD.items() if not evolution.refused_by_registry])
async def test_what_misleads_readers_is_taken(registry: Registry, subject: str, name: str) -> None:
    """Registries look at Avro's types and not at what they count; that is why readers and `careline schemas` do."""
    await registry.set_compatibility(subject, FULL_TRANSITIVE)
    await registry.register(subject, BASE)
    schema_id = await registry.register(subject, BAD[name].schema)
    assert await registry.versions(subject) == [1, 2]
    assert await registry.version(subject, 2) == (schema_id, BAD[name].schema)


async def test_every_earlier_version_counts(registry: Registry, subject: str) -> None:
    """A field may not come back as something else after a version without it."""
    with_number = _with_field({"name": "later", "type": "int", "default": 0, "doc": "A number."})
    with_text = _with_field({"name": "later", "type": "string", "default": "", "doc": "A text."})
    await registry.set_compatibility(subject, FULL_TRANSITIVE)
    for schema in (with_number, BASE):
        await registry.register(subject, schema)
    with pytest.raises(IncompatibleSchema):
        await registry.register(subject, with_text)


async def test_no_avro_is_refused(registry: Registry, subject: str) -> None:
    """A schema that is none never gets an id."""
    await registry.set_compatibility(subject, FULL_TRANSITIVE)
    with pytest.raises(IncompatibleSchema, match=r"Avro schema|artifact type"):
        await registry.register(subject, {"type": "record", "name": "R"})


async def test_the_whole_contract_can_be_registered(registry: Registry, subject: str) -> None:
    """Every schema of the project goes in and comes out as it says, its words perhaps those of an earlier version."""
    for name in schemas.names():
        await registry.set_compatibility(f"{subject}-{name}", FULL_TRANSITIVE)
        for schema in schemas.versions(name):
            known = await registry.schema(await registry.register(f"{subject}-{name}", schema))
            assert without_words(known) == without_words(schema)


async def test_a_silent_registry_is_unavailable() -> None:
    """The message names the address, and waiting may help."""
    registry = ConfluentRegistry(Settings(registry_url="http://ann:secret@127.0.0.1:9"))
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:9") as caught:
        await registry.schema(1)
    assert "secret" not in str(caught.value)
    await registry.close()


def test_an_address_that_is_none_names_its_setting() -> None:
    """Said before anything is asked."""
    with pytest.raises(SettingsError, match="CARELINE_REGISTRY_URL"):
        ConfluentRegistry(Settings(registry_url="localhost:8081"))


async def test_one_question_for_each_schema() -> None:
    """Ids and schemas never change, so their answers are kept; a failing server is told apart from an unknown id."""
    server = _Server()
    registry = ConfluentRegistry(
        Settings(registry_url="http://registry", registry_username="ann", registry_password=SecretStr("x"))
    )
    registry._client.http = httpx.AsyncClient(transport=httpx.MockTransport(server), auth=registry._client.auth)
    assert [await registry.schema(7) for _ in range(3)] == [BASE] * 3
    assert [await registry.id_of("s", BASE) for _ in range(3)] == [7] * 3
    assert server.paths == ["/schemas/ids/7", "/subjects/s"]
    assert server.credentials == {"Basic YW5uOng="}
    with pytest.raises(Unavailable, match="503"):
        await registry.schema(503)
    with pytest.raises(Unavailable, match="not JSON"):
        await registry.schema(200)
    with pytest.raises(SettingsError, match="CARELINE_REGISTRY_PASSWORD"):
        await registry.schema(401)
    await registry.close()


async def test_a_registry_that_can_close_subjects() -> None:
    """Confluent's mode READONLY is asked for, and believed where the registry says afterwards that it is in force."""
    modes: dict[str, str] = {}

    def server(request: httpx.Request) -> httpx.Response:
        subject = request.url.path.rpartition("/")[2]
        if request.method == "PUT":
            if subject == "forbidden":
                return httpx.Response(403, json={"error_code": 40301})
            if subject != "ignored":
                modes[subject] = json.loads(request.content)["mode"]
            return httpx.Response(204 if subject == "ignored" else 200, json=None if subject == "ignored" else {})
        if subject == "ignored":
            return httpx.Response(204)
        known = subject in modes
        return httpx.Response(200, json={"mode": modes[subject]}) if known else httpx.Response(404, json={})

    registry = ConfluentRegistry(Settings(registry_url="http://registry"))
    registry._client.http = httpx.AsyncClient(transport=httpx.MockTransport(server))
    assert await registry.set_writable("ours", False)
    assert modes == {"ours": "READONLY"}
    assert await registry.set_writable("ours", True)
    assert modes == {"ours": "READWRITE"}
    assert not await registry.set_writable("ignored", False), "as Apicurio 3.0 does"
    assert not await registry.set_writable("forbidden", False)
    await registry.close()


async def refused(answer: httpx.Response) -> Unreadable:
    """Why a record is put aside whose schema the registry answers so."""
    registry = ConfluentRegistry(Settings(registry_url="http://registry"))
    registry._client.http = httpx.AsyncClient(transport=httpx.MockTransport(lambda request: answer))
    codec = Codec(registry=registry, topics=Topics())
    with pytest.raises(Unreadable) as caught:
        await codec.decode(b"\0\0\0\0\7whatever")
    await registry.close()
    assert caught.value.reason in ("unknown_schema", "unknown_event_type", "foreign_schema")
    return caught.value


@pytest.mark.parametrize(
    "schema",
    ["[" * 100_000, '{"type": "array", "items": ' * 500 + '"int"' + "}" * 500, '{"type": "nothing"}', "{", "7"],
)
async def test_a_schema_that_nothing_can_parse_is_unreadable(schema: str) -> None:
    """Whatever stands under an id, the record is put aside and nothing else happens."""
    answer = httpx.Response(200, json={"schema": schema})
    await refused(answer)


@pytest.mark.parametrize(
    "kept",
    [
        {"schema": json.dumps(BASE | {"doc": "x" * 300_000})},
        {"schema": json.dumps({"type": "enum", "name": "E", "symbols": [f"S{number}" for number in range(60_000)]})},
        {"schema": "{}", "schemaType": "JSON"},
        {"schema": "message A {}", "schemaType": "PROTOBUF"},
        {"schema": 7},
        {},
        {"schema": json.dumps(BASE | {"name": 7})},
        {"schema": json.dumps(BASE | {"name": ["a"]})},
    ],
    ids=lambda kept: str(kept)[:40],
)
async def test_what_is_kept_under_an_id_is_no_schema_of_a_record(kept: dict[str, Any]) -> None:
    """A schema of hundreds of thousands of characters is not even parsed, and other languages are no Avro."""
    answer = httpx.Response(200, json=kept)
    assert len((await refused(answer)).detail) < 300


class _Server:
    """Answers as a registry does, or as what stands in front of one."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.credentials: set[str | None] = set()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.paths.append(request.url.path)
        self.credentials.add(request.headers.get("authorization"))
        match request.url.path.rpartition("/")[2]:
            case "7":
                return httpx.Response(200, json={"schema": json.dumps(BASE)})
            case "s":
                return httpx.Response(200, json={"subject": "s", "id": 7, "version": 1, "schema": json.dumps(BASE)})
            case "200":
                return httpx.Response(200, text="<html>welcome</html>")
            case code:
                return httpx.Response(int(code), json={"error_code": int(code), "message": "no"})


def _with_field(field: dict[str, Any]) -> schemas.Schema:
    return {**BASE, "fields": [*BASE["fields"], field]}
