"""Text and numbers: what scripts get beside their language, and no host is asked for."""

from trex.sdk.text import functions as functions
