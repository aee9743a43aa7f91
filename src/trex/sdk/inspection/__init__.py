"""What is inside of programs, core dumps and certificates."""

from trex.sdk.inspection import certificates as certificates
from trex.sdk.inspection import dumps as dumps
from trex.sdk.inspection import programs as programs
