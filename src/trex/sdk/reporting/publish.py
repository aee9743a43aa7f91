"""Metrics and alarms of a script, for the outcome of the run.

Owns:      their builders, and which names are reserved.
Relies on: the run's report, which the broker keeps within the limits of logging.
Never:     touches the host: nothing here needs a permission.
"""

from typing import Annotated, Any

from msgspec import Struct

from trex.catalogue.access import Gate, Report
from trex.catalogue.declare import CATALOGUE, Resource
from trex.catalogue.types import KEYED
from trex.errors import OperationError
from trex.values import Constant

RESERVED = "rex"  # in any case, so also `Rexford`: the runner's own names start so

METRIC_UNIT = CATALOGUE.enumeration(
    "MetricUnitType",
    "What the value of a metric is measured in.",
    {
        "UNDEFINED": ("UNDEFINED", "no unit"),
        "COUNT": ("COUNT", "a number of things"),
        "TIME": ("TIME", "nanoseconds"),
        "MEGABYTES": ("MEGABYTES", "megabytes"),
        "PERCENT": ("PERCENT", "a part of a hundred"),
    },
)


@CATALOGUE.option_set(product="MetricDimensions")
class MetricDimensionsBuilder(Struct, frozen=True):
    """The dimensions of a metric: what it is about, by name."""

    add: Annotated[dict[str, str], KEYED, "the value of one more dimension"] = {}


@CATALOGUE.option_set(missing="`metric_{field}` must be initialized", finish="reporting.publish_metric")
class MetricBuilder(Struct, frozen=True):
    """A metric to publish."""

    name: Annotated[str, "its name; publishing it again replaces it"]
    value: Annotated[float, "its value"]
    unit: Annotated[Annotated[Constant, METRIC_UNIT], "what the value is measured in"]
    dimensions: Annotated[MetricDimensionsBuilder | None, "what it is about"] = None


@CATALOGUE.option_set(missing="`alarm_{field}` must be initialized", finish="reporting.publish_alarm")
class AlarmBuilder(Struct, frozen=True):
    """An alarm to publish."""

    type: Annotated[str, "its type"]
    details: Annotated[str | None, "what happened"] = None


class Reported(Resource):
    """Something to put into the run's report."""

    def __init__(self, cls: type, sample: dict[str, Any]) -> None:
        self._cls = cls
        self.type = cls.__name__
        self.sample = sample

    def check(self, argument: Any) -> Any:
        """The builder's fields, by their declaration."""
        return CATALOGUE.options_converter(self._cls)(argument)

    def acquire(self, gate: Gate, argument: Any, *used: Any) -> Any:
        """It, with the report that it goes to."""
        return argument, gate.report


_SAMPLE_METRIC = {"name": "sample", "value": 1.0, "unit": METRIC_UNIT["COUNT"]}
Metric = Annotated[tuple[MetricBuilder, Report], Reported(MetricBuilder, _SAMPLE_METRIC)]
Alarm = Annotated[tuple[AlarmBuilder, Report], Reported(AlarmBuilder, {"type": "sample"})]


@CATALOGUE.operation("publish", open="it only adds to the outcome of the run", failure="text")
def publish_metric(metric: Annotated[Metric, "the metric"]) -> None:
    """Publish a metric in the outcome of the run.

    MetricBuilder().name("rows").value(3.0).unit(MetricUnitType::COUNT).publish()
    """
    built, report = metric
    _check_name(built.name, "metric name", "metrics")
    dimensions = built.dimensions.add if built.dimensions is not None else {}
    report.metric(built.name, built.value, built.unit.name, dimensions)


@CATALOGUE.operation("publish", open="it only adds to the outcome of the run", failure="text")
def publish_alarm(alarm: Annotated[Alarm, "the alarm"]) -> None:
    """Publish an alarm in the outcome of the run.

    AlarmBuilder().type("DiskFull").details("/var is at 99 %").publish()
    """
    built, report = alarm
    _check_name(built.type, "alarm type", "alarms")
    report.alarm(built.type, built.details)


def _check_name(name: str, what: str, kind: str) -> None:
    if name.lower().startswith(RESERVED):
        text = f"Invalid {what} '{name}': Script {kind} cannot start with Rex"
        raise OperationError("ReportingErrorKind", "ReservedName", text)
