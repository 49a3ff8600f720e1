"""Policies of other people's code: a file and tiny processes that misbehave in every way."""

from __future__ import annotations

import copy
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from panda_gym.benchmarking import BenchmarkTable, benchmark
from panda_gym.environments.placement.protocol import FilePolicy, ProcessPolicy, ReplyWarning
from panda_gym.environments.placement.protocol.outside import ReplyFault
from panda_gym.errors import PolicyError
from panda_gym.jobs import JobStream
from tests.oracles.worlds import make_platform, make_stream

PLATFORM = make_platform(6)
SCENARIO: dict[str, Any] = {
    "platform": PLATFORM, "scale": 1.0, "jobs": 12, "warmup": 10, "running": 0, "tail_jobs": 0,
}  # fmt: skip

HEAD = """
import json, sys, time
def answers():
    for line in sys.stdin:
        message = json.loads(line)
        if message.get("type") == "decide":
            yield message
def say(**reply):
    print(json.dumps(reply), flush=True)
"""
"""Beginning of every process of these tests."""

FIRST = 'message["mask"].index(1)'
"""The first legal site."""


@pytest.fixture(scope="module")
def stream() -> JobStream:
    return make_stream(PLATFORM, jobs=200)


def process(tmp_path: Path, body: str, **settings: Any) -> ProcessPolicy:
    """A policy whose process runs `body` after HEAD."""
    program = tmp_path / "policy.py"
    program.write_text(HEAD + body)
    return ProcessPolicy(f"{sys.executable} -S {program}", **settings)


def replies(table: BenchmarkTable, policy: str) -> dict[str, float]:
    """Counts of replies in the one episode."""
    (values,) = table.episodes(policy)
    return {k.partition(".")[2]: v for k, v in values.items() if k.startswith("replies.")}


def played(policy: Any, stream: JobStream, seeds: int = 1) -> BenchmarkTable:
    return benchmark({"outside": policy, "random": "random"}, [stream], range(seeds), **SCENARIO)


def loop(answer: str) -> str:
    """A process that replies with this expression to every request."""
    return f"for message in answers():\n    say(id=message['id'], action={answer})\n"


def test_a_process_and_a_file_place_as_the_same_rule_does(
    stream: JobStream, tmp_path: Path
) -> None:
    (tmp_path / "first.py").write_text(
        "def act(observation, info):\n    return observation['mask'].argmax()\n"
    )
    ours = played(FilePolicy(tmp_path / "first.py"), stream, seeds=3)
    theirs = played(process(tmp_path, loop(FIRST)), stream, seeds=3)
    for seed in range(3):
        one, other = (t.episodes("outside")[seed] for t in (ours, theirs))
        assert one == other
        assert one["replies.decisions"] >= 12
        assert one["replies.late"] + one["replies.illegal"] + one["replies.dead"] == 0
    assert ours.marks() == {"outside": "unknown", "random": "not fitted"}


@pytest.mark.parametrize(
    "answer",
    [
        "99",
        "-1",
        "message['mask'].index(0)",
        "'3'",
        "2.0",
        "None",
        "[1]",
        "True",
        "10**30",
        "1e999",
    ],
)
def test_an_illegal_reply_is_counted_and_replaced(
    stream: JobStream, tmp_path: Path, answer: str
) -> None:
    masked = "message['mask'] = message['mask'] + [0]\n    "
    body = f"for message in answers():\n    {masked}say(id=message['id'], action={answer})\n"
    with pytest.warns(ReplyWarning, match="illegal"):
        found = replies(played(process(tmp_path, body), stream), "outside")
    assert found["illegal"] == found["decisions"] >= 12


@pytest.mark.parametrize(
    "said",
    [
        "print('nonsense', flush=True)",
        "print('[1, 2]', flush=True)",
        "print('{\"id\": NaN}', flush=True)",
        "print('[' * 50000, flush=True)",
        "print('1' * 5000, flush=True)",
        "print('x' * 300000, flush=True)",
        "say(action=0)",
        "say(id=message['id'])",
        "say(id=message['id'] + 1, action=0)",
        "say(id=str(message['id']), action=0)",
    ],
)
def test_a_line_that_is_no_reply_is_illegal_and_the_next_request_is_asked(
    stream: JobStream, tmp_path: Path, said: str
) -> None:
    body = f"""
for message in answers():
    if message["decision"] == 4:
        {said}
    else:
        say(id=message["id"], action={FIRST})
"""
    with pytest.warns(ReplyWarning, match="decision 4: "):
        found = replies(played(process(tmp_path, body), stream), "outside")
    assert (found["illegal"], found["late"], found["dead"]) == (1, 0, 0)


def test_a_late_reply_is_counted_once_and_does_not_answer_the_next_request(
    stream: JobStream, tmp_path: Path
) -> None:
    body = f"""
for message in answers():
    if message["decision"] == 3:
        time.sleep(0.5)
    say(id=message["id"], action={FIRST})
"""
    policy = process(tmp_path, body, timeout_s=0.3)
    with pytest.warns(ReplyWarning, match="no reply within 0.3 s"):
        found = replies(played(policy, stream), "outside")
    assert (found["late"], found["illegal"], found["dead"]) == (1, 0, 0)


@pytest.mark.parametrize("hang", ["time.sleep(1000)", "print('x' * 1000, end='', flush=True)"])
def test_a_process_that_hangs_is_ended_after_three_late_replies(
    stream: JobStream, tmp_path: Path, hang: str
) -> None:
    policy = process(tmp_path, f"while True:\n    {hang}\n", timeout_s=0.1, start_s=0.2)
    begin = time.monotonic()
    with pytest.warns(ReplyWarning) as warned:
        found = replies(played(policy, stream), "outside")
    assert time.monotonic() - begin < 10.0
    assert found["late"] == 3
    assert found["dead"] == found["decisions"] - 3
    assert len(warned) == 2
    assert "3 replies in a row were late, so the process was ended" in str(warned[1].message)


def test_a_process_that_reads_nothing_does_not_block_us(stream: JobStream, tmp_path: Path) -> None:
    """Requests of three hundred sites are longer than what a pipe holds."""
    policy = process(tmp_path, "time.sleep(1000)\n", timeout_s=0.1, start_s=0.1, most_late=2)
    mask = np.ones(4000, bool)
    observation = {"job": {}, "grid": {}, "sites": {"wait": np.ones(4000)}, "mask": mask}
    policy.reset(1)
    for _ in range(20):
        with pytest.raises(ReplyFault, match=r"no reply|in a row"):
            policy.ask({**observation, "sites": {"w" * 9: np.full(90_000, 0.123456789)}}, 0, 0)


def test_a_process_that_dies_is_replaced_for_the_rest(stream: JobStream, tmp_path: Path) -> None:
    body = f"""
for message in answers():
    say(id=message["id"], action={FIRST})
    if message["decision"] == 5:
        sys.exit(3)
"""
    with pytest.warns(ReplyWarning, match="ended with exit code 3"):
        found = replies(played(process(tmp_path, body), stream), "outside")
    assert (found["late"], found["illegal"]) == (0, 0)
    assert found["dead"] == found["decisions"] - 6


def test_other_policies_are_measured_as_without_it(stream: JobStream, tmp_path: Path) -> None:
    with pytest.warns(ReplyWarning):
        beside = played(process(tmp_path, "sys.exit(1)\n"), stream)
    alone = benchmark(["random"], [stream], [0], **SCENARIO)
    assert beside.episodes("random") == alone.episodes("random")
    assert set(replies(beside, "random")) == set()


def test_the_table_shows_who_was_replaced(stream: JobStream, tmp_path: Path) -> None:
    with pytest.warns(ReplyWarning):
        table = played(process(tmp_path, loop("99")), stream)
    text = table.to_markdown()
    assert "replies of outside policies" in text
    row = next(line for line in text.splitlines() if line.endswith("| 100.00% |"))
    assert row.startswith("| outside |")
    assert (
        "replies of outside" not in benchmark(["random"], [stream], [0], **SCENARIO).to_markdown()
    )


def test_children_of_the_process_end_with_it(stream: JobStream, tmp_path: Path) -> None:
    mark = tmp_path / "alive"
    body = f"""
import os
if os.fork() == 0:
    time.sleep(1.5)
    open({str(mark)!r}, "w").close()
    sys.exit()
{loop(FIRST)}"""
    played(process(tmp_path, body), stream)
    time.sleep(2.0)
    assert not mark.exists()


def test_a_command_that_cannot_be_started_is_an_error(stream: JobStream) -> None:
    with pytest.raises(PolicyError, match="a command that can be started"):
        played(ProcessPolicy("/nowhere/at/all"), stream)
    for command in ("", "'open"):
        with pytest.raises(PolicyError, match="a command"):
            ProcessPolicy(command)
    with pytest.raises(PolicyError, match="above 0 s"):
        ProcessPolicy("true", timeout_s=0.0)


def test_a_function_that_raises_is_counted_and_named(stream: JobStream, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        "def act(observation, info):\n"
        "    if info['decision'] % 3 == 0:\n"
        "        raise KeyError('wiat')\n"
        "    return int(observation['mask'].argmax())\n"
    )
    with pytest.warns(ReplyWarning, match=r"act raised KeyError\('wiat'\) at mine.py:3"):
        found = replies(played(FilePolicy(path), stream), "outside")
    assert found["dead"] == np.ceil(found["decisions"] / 3)


def test_a_function_sees_natural_units_and_may_leave_info_out(
    stream: JobStream, tmp_path: Path
) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        "seen = []\n"
        "def act(observation):\n"
        "    seen.append(observation)\n"
        "    return int(observation['mask'].argmax())\n"
    )
    policy = FilePolicy(path)
    played(policy, stream)
    seen = policy._act.__globals__["seen"][0]
    assert seen["sites"]["cores"].tolist() == pytest.approx(PLATFORM.cores.tolist())
    assert seen["job"]["cores"] >= 1.0
    assert seen["mask"].dtype == bool
    assert copy.deepcopy(policy).path == path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "no such file"),
        ("x = 1\n", "no function act"),
        ("act = 3\n", "no function act"),
        ("def act(:\n", "SyntaxError"),
        ("import nowhere_at_all\n", "nowhere_at_all"),
    ],
)
def test_a_file_without_a_function_is_one_clear_error(
    tmp_path: Path, text: str | None, words: str
) -> None:
    path = tmp_path / "mine.py"
    if text is not None:
        path.write_text(text)
    with pytest.raises(PolicyError, match=words):
        FilePolicy(path)


def test_names_with_a_prefix_are_resolved(stream: JobStream, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def act(o):\n    return int(o['mask'].argmax())\n")
    program = tmp_path / "policy.py"
    program.write_text(HEAD + loop(FIRST))
    names = [f"file:{tmp_path / 'mine.py'}", f"process:{sys.executable} -S {program}"]
    table = benchmark(names, [stream], [0], **SCENARIO)
    assert table.policies == tuple(names)
    assert table.episodes(names[0]) == table.episodes(names[1])
