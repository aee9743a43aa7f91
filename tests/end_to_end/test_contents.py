"""Copying, moving, editing and redacted reading as whole runs."""

from __future__ import annotations

import json
import os

ACTIONS = "open read write create delete move chmod stat".split()

SCRIPT = """
let top = TOP;
write(`${top}/f`, "one\\ntwo\\nthree\\n");
cp(`${top}/f`, `${top}/copy`);
sed([sed::in_place, sed::regex], "t(.)o", "2$1", `${top}/copy`);
mv([mv::verbose], `${top}/copy`, `${top}/moved`);
let d = DirConfig().path(top).build().open(OpenDirOptions().build());
let file = d.open_file("moved", OpenFileOptions().read(true).write(true).build());
file.truncate(TruncateOptions().size(1).format(SizeUnit::KIBIBYTES).build());
#{
    tail: tail([tail::n(2)], `${top}/f`),
    words: wc([wc::words], `${top}/f`).words,
    page: file.read_page(ReadPageOptions().num_lines(2).build()),
    size: file.metadata().file_size(),
    sum: awk_sum(1, ",", `${top}/f`),
    names: ls(top).keys(),
}
"""


def test_a_script_copies_edits_moves_and_counts(trex):
    script = SCRIPT.replace("TOP", json.dumps(str(trex.files)))
    ended = trex.run(script, "-o", "json", policy=trex.permit(*ACTIONS))
    assert ended.status == 0, ended.stdout
    assert ended.document["value"] == {
        "tail": ["two", "three"],
        "words": 3,
        "page": ["one", "2w"],
        "size": 1024,
        "sum": 0.0,
        "names": ["f", "moved"],
    }
    assert [record["attributes"]["message"] for record in ended.document["logs"]] == [
        f"Moved from '{trex.files}/copy' to '{trex.files}/moved'"
    ]


def redacted(trex, *flags: object):
    (trex.files / "log").write_text("job 1 done\npassword: secret\n")
    return trex.run(
        f'cat("{trex.files}/log")', "-o", "json", *flags, policy=trex.permit("open", "redacted_read"), env=loud()
    )


def loud() -> dict[str, str]:
    return {**os.environ, "LOG_LEVEL": "TRACE"}


def test_the_operator_says_what_is_shown_of_a_file_that_is_read_redacted(trex):
    dictionary = trex.write("dictionary", "job %d done\n")
    ended = redacted(trex, "--redaction", dictionary, "--audit", "audit")
    assert ended.document["value"] == "job 1 done\n[REDACTED]"
    # W-L1: neither what is hidden nor what shows it is written anywhere.
    told = ended.stdout + ended.stderr + (trex.directory / "audit").read_text()
    assert "secret" not in told
    assert "%d" not in told


def test_without_its_dictionary_nothing_is_shown(trex):
    ended = redacted(trex, "--redaction", trex.directory / "none")
    assert ended.document["status"] != "SUCCESS"
    assert "Failed to open redaction dictionary file" in ended.message
    assert "secret" not in ended.stdout
