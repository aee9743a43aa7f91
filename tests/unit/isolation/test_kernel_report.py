"""What a kernel offers, told before any worker is started."""

from __future__ import annotations

import os

from trex.isolation import kernel_report
from trex.isolation.profile import LAYERS


def test_the_report_has_every_layer_in_order_with_a_detail() -> None:
    report = kernel_report()
    assert [layer for layer, _, _ in report] == [layer.name for layer in LAYERS]
    assert {state for _, state, _ in report} <= {"available", "missing"}
    assert all(detail for _, _, detail in report)


def test_the_report_changes_nothing_in_this_process() -> None:
    before = sorted(os.listdir("/proc/self/fd"))
    kernel_report()
    assert sorted(os.listdir("/proc/self/fd")) == before
    os.close(os.open("/", os.O_RDONLY))
