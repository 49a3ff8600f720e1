"""What is seen: counters as last read, and what was placed since."""

from __future__ import annotations

import numpy as np

from panda_gym.environments.placement.observation import GRID_FEATURES, JOB_FEATURES, SITE_FEATURES
from tests.oracles.grid_twin.state import Job


class Counters:
    """Methods of GridTwin."""

    def _refresh(self, k: int) -> None:
        if self.settings.staleness_s == 0.0:
            self._read()
            return
        event = self._at(k * self.settings.staleness_s, (4,))
        event.callbacks.append(lambda _: (self._read(), self._refresh(k + 1)))

    def _read(self) -> None:
        now, self.own, self.read_at = self.env.now, [], self.env.now
        self.counters = {
            "free": [site.free() for site in self.sites],
            "running": [len(site.running) for site in self.sites],
            "status": [site.status for site in self.sites],
            "recent": [site.recent for site in self.sites],
            "disk": [site.quota - site.used() for site in self.sites],
            "activated": [len(site.queue) for site in self.sites],
            "assigned": [len(site.staging) for site in self.sites],
            "queued": [sum(j.cores * s.pred_run(j) for j in s.waiting()) for s in self.sites],
            "work": [site.ahead(now, "pred_run") for site in self.sites],
            "spare": [site.spare() for site in self.sites],
            "left": [max(1, site.cores - site.competing_cores) for site in self.sites],
        }

    def _seen(self, s: int) -> dict[str, float]:
        """Counters of site s as last read, with what was placed there since."""
        site, seen = self.sites[s], {name: values[s] for name, values in self.counters.items()}
        for job, time in [(job, time) for where, job, time in self.own if where == s]:
            seen["free"] -= job.cores
            seen["spare"] -= job.cores
            seen["assigned" if time > 0.0 else "activated"] += 1
            seen["queued"] += job.cores * site.pred_run(job)
            seen["work"] += job.cores * site.pred_run(job)
        return seen

    def _site_row(self, s: int, job: Job | None) -> dict[str, float]:
        site, seen, platform = self.sites[s], self._seen(s), self.platform
        row = {
            "cores": site.cores, "power": platform.power[s], "free_cores": max(0, seen["free"]),
            "running": seen["running"], "activated": seen["activated"],
            "assigned": seen["assigned"], "queued_work": seen["queued"], "wait": 0.0,
            "transfer": 0.0, "run": 0.0, "local_share": 0.0, "closeness": 0.0,
            "disk_free": platform.disk_tb[s], "failure_rate": 0.0, "online": 1.0,
        }  # fmt: skip
        rules = self.settings
        if rules.failures or rules.outages or rules.limits:
            row["failure_rate"], row["online"] = seen["recent"], float(seen["status"] != "down")
        if rules.storage is not None:
            row["disk_free"] = seen["disk"] / 1e12
        if job is None:
            return row
        if seen["spare"] < job.cores:
            row["wait"] = max(0.0, seen["work"] / seen["left"] - (self.env.now - self.read_at))
        row["transfer"], row["run"] = self._stage_in(job, site)[0], site.pred_run(job)
        held = self._holders(job)
        row["local_share"] = float(s in held) if held else 1.0
        row["closeness"] = min(platform.closeness[r, s] for r in held) if held else 0.0
        return row

    def _mask(self, job: Job) -> list[bool]:
        fits = [site.cores >= job.cores for site in self.sites]
        online = [status != "down" for status in self.counters["status"]]
        both = [a and b for a, b in zip(fits, online, strict=True)]
        mask = both if any(both) else fits
        if self.settings.defer_s is not None:
            mask.append(self.env.now - job.arrival < self.settings.pending_s)
        if self.settings.replicate:
            mask += self._data_mask(job)
        return mask

    def observation(self, q: int = 0) -> dict[str, np.ndarray]:
        """What is seen of job q pending, encoded in float64 from the observation's tables."""
        job = self.pending[q] if q < len(self.pending) else None
        rows = [self._site_row(s, job) for s in range(len(self.sites))]
        seen = [self._seen(s) for s in range(len(self.sites))]
        total, when = float(self.platform.cores.sum()), self.episode.clock_s + self.env.now
        angles = [
            2.0 * np.pi * (int(when / p * 1440) % 1440 + 0.5) / 1440 for p in (86400.0, 604800.0)
        ]
        grid = {
            "counter_age": self.env.now - self.read_at,
            "free_share": sum(max(0, one["free"]) for one in seen) / total,
            "queued_share": sum(one["queued"] for one in seen) / (3600.0 * total),
            "hour_sin": np.sin(angles[0]), "hour_cos": np.cos(angles[0]),
            "week_sin": np.sin(angles[1]), "week_cos": np.cos(angles[1]),
            "progress": min(1.0, self.decided / self._decisions),
        }  # fmt: skip
        of_job = {
            "cores": job.cores, "workload_pred": job.pred,
            "input_bytes": job.size, "input_files": job.files,
        } if job else {}  # fmt: skip
        actions = len(self.sites) + (self.settings.defer_s is not None)
        actions += 1 + 2 * len(self.sites) if self.settings.replicate else 0
        mask = [True] * actions if job is None else self._mask(job)
        return {
            "sites": np.stack([f.encode(np.array([r[f.name] for r in rows], dtype=float))
                               for f in SITE_FEATURES]),
            "job": np.array([f.encode(float(of_job.get(f.name, 0.0))) for f in JOB_FEATURES]),
            "grid": np.array([f.encode(float(grid[f.name])) for f in GRID_FEATURES]),
            "action_mask": np.array(mask, dtype=int),
        }  # fmt: skip
