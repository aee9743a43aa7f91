"""One run, from request to outcome; read it from top to bottom.

Owns:      the order of steps, and that each ending becomes an outcome.
Relies on: the parts it names, one a line.
Never:     lets a step begin before what protects it stands: no script before the proof of the lock,
           no operation before the policy is valid and the audit log is open.
"""

from __future__ import annotations

import os

import msgspec

from trex.errors import LimitExceeded, TrexError, WorkerDied
from trex.protocol.messages import Finished, Start
from trex.runner.account import LANGUAGE, Account, digest
from trex.runner.outcome import Outcome
from trex.runner.request import Inputs, Request, read
from trex.runner.supervise import Supervisor


def run(request: Request, supervisor: Supervisor, *, timings: dict[str, float] | None = None) -> Outcome:
    """Run one script under one policy; every ending, a bug of ours included, is an outcome.

    supervisor: entered by the caller, who leaves it when the outcome is written.
    timings:    milliseconds by phase of what the caller did before; given, the outcome has them and ours.
    """
    account = Account(request, timings)
    account.signal_problem = supervisor.problem
    try:
        try:
            supervisor.phase = "reading"
            supervisor.check()
            inputs = read(request, account.deadline)
            supervisor.phase = "running"
            return _run(request, inputs, account, supervisor)
        except (WorkerDied, LimitExceeded):
            supervisor.check()  # a signal that killed the worker is the reason, not its death
            raise
        finally:
            supervisor.ended()
    except TrexError as error:
        return account.failed(error)
    except Exception as error:  # noqa: BLE001  # the outermost frame of a run: a bug yields an outcome too
        return account.broken(error)


def _run(request: Request, inputs: Inputs, account: Account, supervisor: Supervisor) -> Outcome:
    from trex.runner import workers

    limits = request.limits
    account.phase("read inputs")
    with workers.start(limits, request.isolation) as worker:  # it loads and locks itself while we load
        supervisor.ends_with(lambda reason: worker.kill())
        account.phase("start worker")

        from trex import audit, sdk
        from trex.authorization import Authorizer, Entity, Policy, RunRecord
        from trex.broker.budget import Budget
        from trex.broker.record import Record
        from trex.broker.serve import serve
        from trex.catalogue import interface

        catalogue = sdk.load()
        account.inputs_read(inputs)
        account.phase("imports")
        policy = Policy.load(inputs.policy, request.policy.name, limits.max_policy)
        principal = Entity("User", request.principal or effective_user())
        account.principal = str(principal)
        asked_by = RunRecord(account.id, digest(inputs.script), LANGUAGE, request.caller)
        authorizer = Authorizer(policy, principal, asked_by)
        account.phase("policy")

        account.isolated(worker.ready)
        account.phase("worker ready")
        with audit.Audit.open(request.audit, account.audit_start(inputs)) as log:
            budget = Budget(limits, account.deadline)
            record = Record(limits, request.log_level)
            account.serving(log, record)

            def end_script(reason: str) -> None:
                budget.stop(reason)
                worker.kill()

            supervisor.ends_with(end_script)
            account.sample_memory(os.getpid(), worker.pid)
            start = Start(inputs.script, inputs.arguments, interface(catalogue), limits, inputs.modules)
            answer = serve(
                worker.channel,
                start,
                catalogue=catalogue,
                authorizer=authorizer,
                audit=log,
                limits=limits,
                budget=budget,
                record=record,
                settings=request.settings,
            )
            account.answered(answer)
            account.sample_memory(os.getpid(), worker.pid)
            if isinstance(answer, Finished):
                outcome = account.finished(answer)
            else:
                outcome = account.script_failed(answer, denied=log.has_denial(answer.denial))
            log.end(outcome.code)
    # Only now is the last line of the log known.
    return msgspec.structs.replace(outcome, run=account.run())


def effective_user() -> str:
    """The name of the effective user, or `unknown` where it has none."""
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return "unknown"
