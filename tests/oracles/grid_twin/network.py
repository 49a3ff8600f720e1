"""Transfers between sites: alone, by endpoint sharing, by max-min fairness."""

from __future__ import annotations

import math

import simpy

from tests.oracles.grid_twin.state import Flow, Job, Site


class Network:
    """Methods of GridTwin."""

    def _transfer(self, job: Job, site: Site, time: float, source: int) -> None:
        if self.level == 0 or source == site.number:
            job.expected = self.env.now + time
            event = self._at(job.expected, (2, job.number))
            event.callbacks.append(lambda _: self._staged(site, job))
            return
        delay, per_byte = self._link_cost(source, site.number)
        start = self.env.now + delay
        job.flow = Flow(job, source, site.number, 1.0 / per_byte, job.size, start)
        self.flows.append(job.flow)
        self._note("flow_start", job.number, site.number, source, job.size)
        self._share()

    def _link_cost(self, source: int, target: int) -> tuple[float, float]:
        """Start-up and s/byte."""
        rate = float(self.platform.bandwidth_mbps[source, target]) * 1e6
        delay = 0.0 if math.isinf(rate) else float(self.platform.latency_s[source, target])
        return delay, 1.0 / rate

    def _left(self, job: Job) -> float:
        """Time until the transfer that the job carries ends, if no rate changes any more."""
        flow, end = job.flow, job.expected
        if flow is not None:
            end = flow.since + flow.left / flow.rate
        return max(0.0, end - self.env.now)

    def _cut_off(self, job: Job) -> None:
        """The job leaves while its input moves; what others wait for moves on."""
        replica, carrier = job.replica, job
        if replica is not None and not replica.there:
            carrier = replica.carrier
            if replica.users != [job]:
                return
        if carrier.flow is not None:
            carrier.moved = self._stop(carrier.flow)
        elif carrier.moved > 0.0:
            delay, per_byte = self._link_cost(carrier.source, carrier.site)
            came = max(0.0, (self.env.now - carrier.placed - delay) / per_byte)
            carrier.moved = min(carrier.moved, came)

    def _stop(self, flow: Flow) -> float:
        done = flow.job.moved - flow.left_at(self.env.now)
        self._note("flow_end", flow.job.number, flow.target, flow.source, done)
        self.flows.remove(flow)
        self._share()
        return done

    def _share(self) -> None:
        """Give every flow its rate; those whose rate changes end at another time."""
        rates = self._max_min() if self.level == 2 else self._endpoints()
        for flow, rate in zip(self.flows, rates, strict=True):
            if rate != flow.rate:
                now = self.env.now
                flow.left = flow.left_at(now)
                flow.since, flow.rate = max(now, flow.since), rate
                flow.version += 1
                self._expect(flow, flow.version)

    def _expect(self, flow: Flow, version: int) -> None:
        def finish(_: simpy.Event) -> None:
            if flow in self.flows and flow.version == version:
                self._stop(flow)
                self._staged(self.sites[flow.target], flow.job)

        event = self._at(flow.since + flow.left / flow.rate, (1, flow.job.number))
        event.callbacks.append(finish)

    def _endpoints(self) -> list[float]:
        rates = []
        for flow in self.flows:
            out = sum(other.source == flow.source for other in self.flows)
            into = sum(other.target == flow.target for other in self.flows)
            caps = self.sites[flow.source].cap / out, self.sites[flow.target].cap / into
            rates.append(min(flow.link, *caps))
        return rates

    def _max_min(self) -> list[float]:
        """Progressive filling: raise all rates together, fix those that meet a limit."""
        out = {site.number: site.cap for site in self.sites}
        into = dict(out)
        rates: dict[int, float] = {}
        while len(rates) < len(self.flows):
            open_ = [k for k in range(len(self.flows)) if k not in rates]
            limits = {}
            for k in open_:
                flow = self.flows[k]
                leave = sum(self.flows[i].source == flow.source for i in open_)
                come = sum(self.flows[i].target == flow.target for i in open_)
                limits[k] = min(flow.link, out[flow.source] / leave, into[flow.target] / come)
            level = min(limits.values())
            for k in open_:
                if limits[k] <= level:
                    rates[k] = level
                    flow = self.flows[k]
                    out[flow.source] = max(0.0, out[flow.source] - level)
                    into[flow.target] = max(0.0, into[flow.target] - level)
        return [rates[k] for k in range(len(self.flows))]
