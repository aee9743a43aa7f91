"""Files and directories: commands by path, and handles that stay open."""

from trex.sdk.files import attributes as attributes
from trex.sdk.files import awk as awk
from trex.sdk.files import commands as commands
from trex.sdk.files import content as content
from trex.sdk.files import directories as directories
from trex.sdk.files import excerpts as excerpts
from trex.sdk.files import links as links
from trex.sdk.files import opened as opened
from trex.sdk.files import transfer as transfer
from trex.sdk.files import usage as usage
from trex.sdk.files import walking as walking
from trex.sdk.files import whole_trees as whole_trees
