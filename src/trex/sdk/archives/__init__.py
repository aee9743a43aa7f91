"""Compressed files and archives."""

from trex.sdk.archives import gzip as gzip
from trex.sdk.archives import tar as tar
