"""How an attempt will end."""

from __future__ import annotations

from tests.oracles.grid_twin.draws import job_uniform
from tests.oracles.grid_twin.state import Job, Site


class Failures:
    """Methods of GridTwin."""

    def _draw_failure(self, site: Site, job: Job) -> tuple[float, str]:
        rules, run, failure = self.settings, site.true_run(job), "none"
        if rules.failures is not None:
            one = rules.failures
            hole = site.number == self.black_hole
            chance = one.black_hole_share if hole else min(one.most, job.hazard * site.risk)
            if job_uniform(job.key, job.attempt, 0) < chance:
                u = job_uniform(job.key, job.attempt, 1)
                if hole:
                    run, failure = min(run, one.black_hole_s), "black_hole"
                elif u < one.early:
                    run, failure = min(run, one.early_s), "early"
                else:
                    run, failure = run * ((u - one.early) / (1.0 - one.early)), "late"
        if rules.limits is not None and run > rules.limits.running_s:
            run, failure = rules.limits.running_s, "running_limit"
        if rules.kill_at_requested:
            requested = site.requested_run(job, rules.requested_factor)
            if run > requested:
                run, failure = requested, "requested_limit"
        return run, failure
