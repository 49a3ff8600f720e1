"""What a verdict means, in plain words, for each kind of reader."""

from __future__ import annotations

from metrics.certificate.certificate import Certificate

_GRADES = {
    "A": "as good as real rows, with room to spare",
    "B": "as good as real rows within the policy's margins",
    "C": "perhaps good enough, but too few rows to show it",
    "F": "worse than the policy allows",
    "-": "not graded",
}
"""What a grade says, by letter."""


def grade_words(grade: str) -> str:
    """Return what a grade says in a few words."""
    return _GRADES[grade]


def part_words(card: Certificate, part: str) -> str:
    """Return what the grade of a part says; a trace of training rows is said beside it."""
    grade = card.grades[part]
    if part == "privacy" and grade in "AB" and card.document["privacy"]["traces"]:
        return "within the policy's margins, though an attack does better than chance"
    return grade_words(grade)


def headline(card: Certificate) -> str:
    """Return the verdict in one sentence."""
    if card.verdict == "void":
        return (
            "No certificate: a known-answer case was answered wrongly, so the scores of this table "
            "mean nothing. Usually more held-out rows are needed."
        )
    if card.verdict == "failed":
        return f"The table does not meet the policy: {len(card.failures)} reasons are given below."
    return "The table meets every demand of the policy."


def self_tested(card: Certificate) -> str:
    """Return how many known-answer cases were answered rightly."""
    cases = card.document["self_test"]
    right = sum(bool(case["passed"]) for case in cases.values())
    return (
        f"Before the evaluation its tests were tried on {len(cases)} known-answer cases (copies, "
        f"interpolated rows, independent columns, fresh and unseen real rows): {right} of "
        f"{len(cases)} were "
        "answered rightly."
    )


def meanings(card: Certificate) -> dict[str, str]:
    """Return what the certificate means to each kind of reader, {reader: words}."""
    return {
        "To decide whether to publish the table": _steward(card),
        "To draw conclusions from the table": _researcher(card),
        "To train or test a scheduler on it": _scheduler(card),
        "To check the certificate": _auditor(card),
    }


def _steward(card: Certificate) -> str:
    if card.verdict == "void":
        return "Do not release it on the strength of this file."
    statement = str(card.document["privacy"]["statement"])
    if card.grades["privacy"] in "CF":
        return f"Do not release it. {statement}"
    return (
        f"{statement} The tests are those listed under privacy, at the sizes stated there; a test "
        "that finds nothing does not show that nothing is there. It is evidence for a decision, "
        "not the decision, and no promise against attacks that were not tried."
    )


def _researcher(card: Certificate) -> str:
    fidelity, efficacy = (grade_words(card.grades[part]) for part in ("fidelity", "efficacy"))
    tail = (
        " A statistic that is not listed is not vouched for; tails and rare levels have scores of "
        "their own."
    )
    if card.verdict == "void":
        return "Do not quote results on this table." + tail
    return f"Fidelity is {fidelity}; what a model learns from it is {efficacy}." + tail


def _scheduler(card: Certificate) -> str:
    scores, document = card.scores, card.document
    if not any(score.part == "temporal" for score in scores.values()):
        why = document["left_out"].get("time", document["failures"].get("time", "not measured"))
        return f"Nothing is known of how the rows lie in time ({why}).{_ranking(card)}"
    lost = ""
    if "batches" in scores:
        mine, real = scores["batches"].value, scores["batches"].real_vs_real
        lost = (
            f" Of successive rows {mine:.0%} agree in all categories, in real rows {real:.0%}: "
            "that is how much of the tasks is kept."
        )
    gated = document["policy"]["parts"]["temporal"]
    word = "graded" if gated else "shown but not graded under this policy"
    return (
        f"Cycles, bursts and batches in time are {word}.{lost} Queues depend on them: compare "
        f"policies on a real stream before trusting a close race.{_ranking(card)}"
    )


def _ranking(card: Certificate) -> str:
    """Return how policies are ranked on synthetic jobs, where that was measured."""
    if "ranking_tau" not in card.scores:
        return ""
    tau, regret = card.scores["ranking_tau"], card.scores["ranking_regret"]
    return (
        f" Rankings of policies agree with those on real jobs by a tau of {tau.value:.2f} "
        f"({tau.low:.2f} to {tau.high:.2f}; other real jobs {tau.real_vs_real:.2f}), and the "
        f"policy that is best on synthetic jobs is {regret.value:.1%} worse on real ones than the "
        "best."
    )


def _auditor(card: Certificate) -> str:
    signed = "It carries a signature." if card.signature else "It is not signed."
    return (
        "The file names every table, the weights, the policy, the code and the versions by hash, "
        "and the seed. `panda-grid verify CERTIFICATE --surrogate FOLDER --data RECORDS --rerun "
        f"PART` hashes them again and measures a part anew. {signed}"
    )
