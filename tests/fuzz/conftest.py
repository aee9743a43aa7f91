"""The engines of the compliance tests."""

from compliance.conftest import ours as ours
