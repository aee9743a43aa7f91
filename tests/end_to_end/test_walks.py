"""Walks whose function runs in the worker while the broker goes through the tree."""

from __future__ import annotations


def grow(trex, count: int) -> None:
    for number in range(count):
        place = trex.files / f"d{number % 10}"
        place.mkdir(exist_ok=True)
        (place / f"f{number}").write_text(str(number))


def script(trex, body: str) -> str:
    opening = f'let top = DirConfig().path("{trex.files}").build().open(OpenDirOptions().build());\n'
    return opening + body


def test_a_function_is_called_with_every_entry(trex):
    grow(trex, 1000)
    body = """
        let names = #{};
        top.find(FindOptions().name("f*").build(), |entry| {
            names[entry.name] = entry.open_as_file(OpenFileOptions().read(true).build()).read();
        });
        [names.len(), names["f777"]]
    """
    result = trex.run(script(trex, body), policy=trex.permit("open", "read"))
    assert result.document["value"] == [1000, "777"]


def test_a_function_that_fails_ends_the_walk_with_its_reason(trex):
    grow(trex, 100)
    body = """
        let seen = 0;
        let told = ();
        try { top.find(FindOptions().build(), |entry| { seen += 1; if seen == 20 { throw "enough"; } }); }
        catch (error) { told = [error.kind.to_string(), error.message]; }
        [seen, told]
    """
    result = trex.run(script(trex, body), policy=trex.permit("open", "read"))
    seen, (kind, message) = result.document["value"]
    assert (seen, kind) == (20, "CallbackError")
    assert message.startswith("Rhai callback execution failed: ")


def test_what_is_denied_on_the_way_is_in_the_outcome(trex):
    grow(trex, 30)
    policy = trex.permit("open", "read") + (
        f'\n@id("closed") forbid (principal, action, resource) '
        f'when {{ resource in file_system::Dir::"{trex.files}/d3" }};'
    )
    result = trex.run(script(trex, "let n = 0; top.find(FindOptions().build(), |e| n += 1); n"), policy=policy)
    assert result.document["value"] == 36
    assert result.document["decisions"]["denied"] == 1


def test_a_walk_ends_with_the_time_of_the_run(trex):
    grow(trex, 500)
    body = "top.find(FindOptions().build(), |entry| { loop { } });"
    result = trex.run(script(trex, body), "--max-time", "2s", policy=trex.permit("open", "read"))
    assert result.document["error"]["limit"] == "max_time"
