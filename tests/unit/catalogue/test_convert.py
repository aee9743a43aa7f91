"""Values to declared types and back."""

from typing import Annotated

import pytest
from msgspec import Struct

from support.host import Broker, Failure, flag, made
from trex import sdk
from trex.catalogue.convert import language_name, value_of
from trex.catalogue.declare import Catalogue
from trex.catalogue.types import UNSIGNED
from trex.errors import OperationError, ProtocolViolation
from trex.values import Char, Constant, Object


@pytest.mark.parametrize(
    "value, name",
    [
        (1, "i64"),
        (1.0, "f64"),
        ("", "string"),
        (True, "bool"),
        (None, "()"),
        ([], "array"),
        ({}, "map"),
        (b"", "blob"),
        (Char("a"), "char"),
        (Constant("LsFlag", "all"), "LsFlag"),
        (Object("Dir", {}), "Dir"),
    ],
)
def test_a_wrong_flag_is_named_by_its_type_in_the_language(tmp_path, value, name):
    assert language_name(value) == name
    with pytest.raises(Failure) as failed:
        Broker().call("files.cat", [value], str(tmp_path / "f"))
    assert failed.value.kind == "Other"
    assert failed.value.message == f"cat: expected CatFlag flag, got {name}"


def test_a_wrong_flag_is_told_before_anything_is_asked(tmp_path):
    broker = Broker()
    with pytest.raises(Failure):
        broker.call("files.cat", [1], str(tmp_path / "f"))
    assert broker.asked == []


def test_flags_are_known_by_all_their_names(tmp_path):
    (tmp_path / "f").write_text("x\n")
    for name in ("number", "n"):
        assert Broker().call("files.cat", [flag("cat", name)], str(tmp_path / "f")) == "     1\tx"


def test_of_several_values_of_a_flag_the_first_counts(tmp_path):
    (tmp_path / "f").write_text("x\nx\nx\n")
    flags = [flag("grep", "m", 2), flag("grep", "max_count", 1)]
    assert Broker().call("files.grep", flags, "x", str(tmp_path / "f")) == ["x", "x"]


@pytest.mark.parametrize(
    "options",
    [
        made("OpenDirOptions", unknown=True),
        made("OpenDirOptions", create=1),
        made("OpenDirOptions", create=None),
    ],
)
def test_an_option_that_no_script_can_make_is_a_violation_of_the_protocol(options):
    with pytest.raises(ProtocolViolation):
        Broker().call("files.open_directory", made("DirConfig", path="/"), options)


def test_a_required_field_that_is_missing_is_named():
    for operation, builder, text in (
        ("reporting.publish_metric", made("MetricBuilder"), "`metric_name` must be initialized"),
        ("reporting.publish_alarm", made("AlarmBuilder"), "`alarm_type` must be initialized"),
        ("files.open_directory", made("DirConfig"), "Invalid arguments: Field not initialized: path"),
    ):
        options = [made("OpenDirOptions")] if operation == "files.open_directory" else []
        with pytest.raises(Failure) as failed:
            Broker().call(operation, builder, *options)
        assert failed.value.message == text


def test_a_member_that_does_not_exist_is_a_violation_of_the_protocol(tmp_path):
    with pytest.raises(ProtocolViolation):
        Broker().call("files.cat", [flag("cat", "nonsense")], str(tmp_path))
    unit = Constant("MetricUnitType", "FURLONGS")
    with pytest.raises(ProtocolViolation):
        Broker().call("reporting.publish_metric", made("MetricBuilder", name="a", value=1.0, unit=unit))


def test_bounds_hold_also_when_the_worker_did_not_check_them():
    catalogue = Catalogue()

    @catalogue.option_set
    class Options(Struct):
        """Numbers."""

        size: Annotated[int, UNSIGNED, "how much"] = 0

    with pytest.raises(OperationError) as failed:
        catalogue.options_converter(Options)(made("Options", size=-1))
    assert failed.value.kind == "TryFromIntError"


def test_records_cross_as_objects_with_their_fields(tmp_path):
    (tmp_path / "f").write_text("abc")
    broker = Broker()
    file = broker.file(broker.directory(tmp_path), "f", read=True)
    metadata = broker.call("files.file_metadata", file)
    assert metadata.type == "Metadata"
    assert metadata.fields["file_size"] == 3
    assert metadata.fields["type"] == Constant("EntryType", "FILE")
    assert metadata.fields["owner"].type == "Ownership"


def test_plain_results_cross_as_they_are():
    records = sdk.load().records
    for value in ("text", 1, 1.5, True, None, b"x", ["a", "b"], {"a": 1}, [{"a": [1]}]):
        assert value_of(value, records, issue=lambda resource: pytest.fail("no resource")) == value
