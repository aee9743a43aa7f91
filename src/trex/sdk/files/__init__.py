"""Files and directories: commands by path, and handles that stay open."""

from trex.sdk.files import commands as commands
from trex.sdk.files import directories as directories
from trex.sdk.files import links as links
from trex.sdk.files import opened as opened
from trex.sdk.files import usage as usage
from trex.sdk.files import walking as walking
