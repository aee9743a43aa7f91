"""The main job: scripts of the shapes that Rex documents, under their own policies."""

from __future__ import annotations

import getpass
import json

import pytest


def test_a_script_writes_and_reads_a_file_that_its_policy_names(trex):
    path = trex.files / "greeting"
    policy = f"""
        permit (principal, action == file_system::Action::"open", resource == file_system::Dir::"{trex.files}");
        permit (
            principal,
            action in [file_system::Action::"open", file_system::Action::"read",
                       file_system::Action::"write", file_system::Action::"create"],
            resource == file_system::File::"{path}"
        );
    """
    trex.write("arguments.json", json.dumps({"file_name": {"stringValue": "greeting"}}))
    script = f'let path = "{trex.files}/" + file_name;\nwrite([write::replace], path, "Hello!\\n");\ncat(path)'
    result = trex.run(script, "-a", "arguments.json", policy=policy)
    document = result.document
    assert (result.status, document["status"], document["output"]) == (0, "SUCCESS", "Hello!\n")
    assert document["value"] == "Hello!\n"
    assert path.read_text() == "Hello!\n"
    assert document["decisions"]["denied"] == 0


@pytest.mark.parametrize("missing", ["open", "read", "write", "create"])
def test_without_one_of_its_permits_the_script_is_denied(trex, missing):
    actions = [action for action in ("open", "read", "write", "create") if action != missing]
    script = f'write([write::replace], "{trex.files}/greeting", "Hello!"); cat("{trex.files}/greeting")'
    result = trex.run(script, policy=trex.permit(*actions))
    assert (result.status, result.code) == (3, "access_denied")
    assert result.document["error"]["error_type"] == "ACCESS_DENIED_EXCEPTION"
    assert f'file_system::Action::"{missing}"' in result.message
    assert result.document["output"] == ""
    if missing != "read":  # the last thing that the script does
        assert list(trex.files.iterdir()) == []


def test_a_script_that_only_logs_succeeds_with_an_empty_result(trex):
    (trex.files / "hello.txt").write_text("Hello!\n")
    script = f'let text = cat("{trex.files}/hello.txt");\ninfo(`says ${{text}}`);\nlet names = ls("{trex.files}");\ninfo(`holds ${{names.keys()}}`);'
    result = trex.run(script, policy=trex.permit("open", "read", "stat"))
    assert (result.status, result.document["output"]) == (0, "")
    logged = [entry["attributes"] for entry in result.document["logs"]]
    assert [(entry["level"], entry["message"], entry["line_number"]) for entry in logged] == [
        ("INFO", "says Hello!\n", "2"),
        ("INFO", 'holds ["hello.txt"]', "4"),
    ]


WRITING = """
let path = "{files}/written.txt";
touch(path);
replace(path, "Hello");
info(`wrote ${{cat(path)}}`);
"""


def test_a_writing_script_works_under_a_policy_that_permits_writing(trex):
    result = trex.run(WRITING.format(files=trex.files))
    assert result.status == 0
    assert (trex.files / "written.txt").read_text() == "Hello"


def test_a_writing_script_is_denied_under_a_read_only_policy(trex):
    result = trex.run(WRITING.format(files=trex.files), policy=trex.permit("open", "read", "stat"))
    assert (result.status, result.document["error"]["error_type"]) == (3, "ACCESS_DENIED_EXCEPTION")
    assert list(trex.files.iterdir()) == []
    assert [alarm["alarm_type"] for alarm in result.document["alarms"]] == ["RexRunnerPrivilegeEscalation"]
    assert "RexRunnerPrivilegeEscalationCount" in [metric["metric_name"] for metric in result.document["metrics"]]


def test_a_script_reads_through_handles(trex):
    (trex.files / "ascii").write_text("abc")
    script = """
        let directory = DirConfig().path(directory_path).build().open(OpenDirOptions().build());
        let file = directory.open_file(file_name, OpenFileOptions().read(true).build());
        let content = file.read();
        info("Read " + content.len() + " bytes");
        content
    """
    policy = f"""
        permit (principal, action == file_system::Action::"open", resource == file_system::Dir::"{trex.files}");
        permit (principal, action in [file_system::Action::"open", file_system::Action::"read"],
                resource == file_system::File::"{trex.files}/ascii");
    """
    result = trex.run(script, "--arg", f"directory_path={trex.files}", "--arg", "file_name=ascii", policy=policy)
    assert (result.status, result.document["output"]) == (0, "abc")


def test_an_empty_policy_permits_nothing(trex):
    result = trex.run(f'cat("{trex.files}/x")', policy="")
    assert (result.status, result.code) == (3, "access_denied")


def test_every_denial_is_in_the_outcome_although_the_script_caught_it(trex):
    script = f'for name in ["a", "b"] {{ try {{ cat(`{trex.files}/${{name}}`) }} catch (e) {{ }} }} "done"'
    result = trex.run(script, policy="")
    decisions = result.document["decisions"]
    assert (result.status, result.document["output"]) == (0, "done")
    assert decisions["denied"] >= 1
    assert decisions["denials"][0]["explanation"]


def test_the_words_of_a_denial_thrown_by_a_script_are_a_script_error(trex):
    result = trex.run('throw "Permission denied: root unauthorized to perform everything"')
    assert (result.status, result.code) == (1, "script_error")
    assert result.document["error"]["error_type"] == "SCRIPT_EXCEPTION"


def test_a_denial_that_was_caught_and_thrown_again_is_still_a_denial(trex):
    result = trex.run(f'try {{ cat("{trex.files}/x") }} catch (e) {{ throw e; }}', policy="")
    assert (result.status, result.code) == (3, "access_denied")


def test_an_error_after_a_caught_denial_is_a_script_error(trex):
    result = trex.run(
        f'try {{ cat("{trex.files}/x") }} catch (e) {{ throw "something else: " + e.message; }}', policy=""
    )
    assert (result.status, result.code) == (1, "script_error")


def test_a_failing_operation_is_a_script_error_and_not_a_denial(trex):
    result = trex.run(f'cat("{trex.files}/missing")')
    assert (result.status, result.code) == (1, "script_error")
    assert "No such file or directory" in result.message


def test_an_uncaught_error_has_kind_line_and_position(trex):
    result = trex.run("let x = 1;\n  throw x;")
    error = result.document["error"]
    assert (error["kind"], error["line"], error["position"]) == ("ErrorRuntime", 2, 3)


def test_a_script_that_does_not_parse_runs_nothing(trex):
    result = trex.run(f'touch("{trex.files}/x");\nlet = 3;')
    assert (result.status, result.code) == (1, "script_invalid")
    assert result.document["error"]["line"] == 2
    assert list(trex.files.iterdir()) == []
    assert {alarm["alarm_type"] for alarm in result.document["alarms"]} == {
        "RexRunnerScriptCompilationFailure",
        "RexRunnerScriptExecutionFailure",
    }


def test_the_result_is_text_and_real_json(trex):
    result = trex.run('#{b: [1, 2.5, true, ()], a: "x"}')
    assert result.document["output"] == '#{"a": "x", "b": [1, 2.5, true, ()]}'
    assert result.document["value"] == {"a": "x", "b": [1, 2.5, True, None]}


def test_arguments_have_the_types_they_were_given(trex):
    script = "[text, number, ratio, list, on].map(|x| type_of(x))"
    flags = ["--arg", "text=7", "--arg", "number:=7", "--arg", "ratio:=0.5", "--arg", "list:=[1]", "--arg", "on:=true"]
    assert trex.run(script, *flags).document["value"] == ["string", "i64", "f64", "array", "bool"]


def test_a_script_comes_from_standard_input(trex):
    trex.write("policy.cedar", "")
    assert trex.command("run", "-", "--policy", "policy.cedar", input=b"40 + 2").document["output"] == "42"


def test_a_module_that_came_with_the_request_can_be_imported(trex):
    trex.write("m.rhai", "fn double(x) { x * 2 }")
    assert trex.run('import "m" as m; m::double(21)', "--module", "m=m.rhai").document["output"] == "42"


def test_no_other_module_can_be_imported(trex):
    trex.write("m.rhai", "fn double(x) { x * 2 }")
    result = trex.run('import "m" as m; m::double(21)')
    assert (result.status, result.code) == (1, "script_error")
    assert "Module not found: m" in result.message


def test_the_outcome_says_what_ran_and_how_it_was_locked(trex):
    run = trex.run("1").document["run"]
    assert run["script"]["name"] == "script.rhai"
    assert len(run["script"]["sha256"]) == len(run["policy"]["sha256"]) == 64
    assert run["principal"] == f'User::"{getpass.getuser()}"'
    assert run["isolation"]["mode"] == "strict"
    assert {"seccomp", "landlock"} <= set(run["isolation"]["layers"])


def test_a_front_end_may_say_who_asks(trex):
    policy = f'permit (principal == User::"alice", action, resource in file_system::Dir::"{trex.files}");'
    (trex.files / "x").write_text("1")
    script = f'cat("{trex.files}/x")'
    assert trex.run(script, "--principal", "alice", policy=policy).status == 0
    assert trex.run(script, "--principal", "mallory", policy=policy).status == 3


def test_metrics_and_alarms_of_a_script_are_in_the_outcome(trex):
    script = """
        MetricBuilder().name("queue").value(3.0).unit(MetricUnitType::COUNT)
            .dimensions(MetricDimensionsBuilder().add("host", "a").build()).publish();
        AlarmBuilder().type("queue-full").details("3 waiting").publish();
    """
    document = trex.run(script).document
    (queue,) = [metric for metric in document["metrics"] if metric["metric_name"] == "queue"]
    assert (queue["metric_value"], queue["metric_unit"], queue["metric_dimension"]) == (3.0, "COUNT", {"host": "a"})
    assert document["alarms"] == [{"alarm_type": "queue-full", "alarm_details": "3 waiting"}]


def test_a_successful_run_reports_the_runner_s_own_metrics(trex):
    names = {metric["metric_name"] for metric in trex.run("1").document["metrics"]}
    assert {
        "RexRunnerScriptExecutionTime",
        "RexRunnerScriptExecutionSuccessCount",
        "RexRunnerTotalExecutionTime",
        "RexRunnerProcessCpuUsage",
        "RexRunnerProcessRssMemoryUsageAverage",
        "RexRunnerProcessVirtualMemoryUsageAverage",
    } <= names


def test_timings_say_where_the_time_went(trex):
    timings = trex.run("1", "--timings").document["run"]["timings"]
    assert {"interpreter", "policy", "worker ready", "run"} <= set(timings)
    assert all(value >= 0 for value in timings.values())
