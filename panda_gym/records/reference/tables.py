"""Constants of the reference workload, as tables with their sources.

Classes of source, named at each table:
[DAY]   one day of all PanDA queues, 2021-09-19: 878,000 ended jobs, 179 queues (public record).
[CPU]   CPU seconds of 44,238 jobs of January 2024, at most 500 a queue (public record).
[USER]  5,000 user-analysis jobs in 96 tasks of July 2022, chosen for long tasks (public record).
[TASKS] names and weekly counts of user tasks, October 2022 to February 2023 (public record).
[LCG]   the LCG-2005 log of the Parallel Workloads Archive: 188,041 jobs, 170 sites.
[FILES] sizes of files in public DAOD dataset listings.
[LIT]   figures printed in the literature (NorduGrid ATLAS 2011; PanDA 2012).
[SET]   no public figure is known: set by judgement, and said so.
"""

from __future__ import annotations

from typing import Final

import numpy as np

STAND_IN: Final = (
    "Reference workload: a seeded probabilistic stand-in calibrated on public figures of ATLAS and"
    " LCG grids; it holds no PanDA records and says nothing that those figures do not say."
)
"""What every table made here is; stands in `table.attrs["origin"]`."""

PLATFORM: Final = "atlas150"
"""Platform whose sites the jobs run on."""

START: Final = np.datetime64("2022-10-01T00:00:00", "s")
"""Start of the period; that of [TASKS], so that the shares belong to it."""
DAYS: Final = 150
"""Length of the period, as in arXiv 2410.07940."""

# --- time ---------------------------------------------------------------------------------------

WEEKDAY: Final = (1.03, 1.05, 1.05, 1.04, 1.0, 0.83, 0.84)
"""Jobs created by day of week, Monday first. [LCG]: weekend to weekday .81."""
HOUR: Final = np.array(
    [
        [0.85, 0.72, 0.62, 0.56, 0.54, 0.58],
        [0.68, 0.80, 0.95, 1.08, 1.18, 1.22],
        [1.22, 1.26, 1.34, 1.38, 1.34, 1.26],
        [1.20, 1.14, 1.08, 1.04, 1.00, 0.93],
    ]
).ravel()
"""Jobs created by hour of day, UTC. [LCG]: .4 to .9 from 02 to 06h, 1.1 to 1.6 from 10 to 19h."""
HOLIDAY: Final = {33: 0.78, 34: 0.74, 35: 0.77, 36: 0.81, 51: 0.53, 52: 0.77}
"""Jobs created by ISO week, others 1. [TASKS], five years of weekly counts."""
DAY_NOISE: Final = (0.12, 0.90)
"""ln-sd and lag-1 autocorrelation of the daily level. [TASKS]: weekly lag-1 .68."""
HOUR_NOISE: Final = (0.30, 0.60)
"""ln-sd and lag-1 autocorrelation of the hourly level. [LCG]: hourly autocorrelation .60."""

# --- tasks --------------------------------------------------------------------------------------

JOBS_PER_TASK: Final = (
    (0.0, 1.0),
    (0.25, 2.2),
    (0.50, 9.0),
    (0.75, 44.0),
    (0.90, 175.0),
    (0.99, 705.0),
    (1.0, 2000.0),
)
"""Quantiles of jobs per task. [USER]: .5, .75, .9 and the largest of 96; ends [SET]."""
SMALLEST_NUMBER_OF_TASKS: Final = 50
"""Tasks are cut to 1/50 of a table's rows, so that small tables do not show a few tasks only."""
SCOUTS: Final = 10
"""Jobs that PanDA sends ahead of a task's others."""
BURST: Final = 50
"""Jobs of one task created together. [USER]: about 50 within a second."""
SCOUT_DELAY_S: Final = 7200.0
"""Mean time from a task's scouts to its other jobs, s. [SET]"""
BURST_GAP_S: Final = 900.0
"""Mean time between bursts of a task, s. [SET]"""
STRAGGLER: Final = (0.015, 14400.0)
"""Share of jobs created anew later (retries), and their mean delay in s. [SET]"""
USERS: Final = 1500
"""Users, Zipf-distributed; only neutral placeholders of them stand in raw exports. [SET]"""

# --- sites --------------------------------------------------------------------------------------

SITE_SHARE: Final = (74.3, 4.29)
"""q and s of the Zipf-Mandelbrot distribution (rank + q)^-s. [DAY]: top 1/5/10/20/50 of queues."""
SITE_RANK_NOISE: Final = 0.7
"""ln-sd by which a site's rank departs from the rank of its slots. [SET]"""
SITES_PER_TASK: Final = (0.62, 0.22, 0.11, 0.05)
"""Shares of a task's jobs at its first to fourth site (drawn by share, may coincide). [SET]"""
SITE_FAILURE: Final = (
    (0.0, 0.002),
    (0.05, 0.007),
    (0.25, 0.030),
    (0.50, 0.063),
    (0.75, 0.170),
    (0.90, 0.340),
    (0.95, 0.480),
    (1.0, 0.600),
)
"""Quantiles over sites of failed / (failed + finished). [DAY], queues with over 100 jobs."""
FAILED_SHARE: Final = 0.125
"""failed / (failed + finished) over jobs. [DAY] all 10.5 %, analysis 14.0 %; [LIT] 2011 14.1 %."""
FAILURE_CORRELATIONS: Final = (0.38, 0.17)
"""Shares of the failure score that a task's jobs, and a site's day, have in common. [SET]"""
CLOSED: Final = (0.035, 0.80)
"""Share of closed jobs, and the part of their score that a task's jobs share. [SET]"""
CANCELLED_TASKS: Final = 0.06
"""Share of tasks that their user stops half-way: the rest is cancelled. [SET]"""

# --- CPU time -----------------------------------------------------------------------------------

CPU_SHORT: Final = (3.98, 0.81)
"""Mean and sd of ln CPU seconds of short jobs: 13 % of all. [CPU]"""
CPU_LONG: Final = (9.05, 1.63)
"""Mean and sd of ln CPU seconds of the others. Full jobs; [CPU] has a mean of 8.62
with jobs cut short included."""
SHORT_TASKS: Final = 0.09
"""Share of tasks of short jobs (tests); early failures make up the 13 %. [SET]"""
EARLY_FAILURES: Final = 0.40
"""Share of failed jobs that die within minutes; others stop somewhere on their way. [SET]"""
SITE_CPU_SD: Final = 0.56
"""sd over sites of ln CPU seconds beyond core power. [CPU]: site explains 10 % of variance."""
DATATYPE_CPU_SD: Final = 0.55
"""sd over datatypes of ln CPU seconds within a family. [SET]"""
JOB_CPU_SD: Final = 0.22
"""sd of ln CPU seconds among the jobs of one task at one site. [USER]: near-identical jobs."""
MULTICORE_CPU: Final = 0.45
"""Shift of ln CPU seconds for jobs of more than one core. [CPU]: medians 3,823 and 5,994 s."""
CPU_WITH_BYTES: Final = 0.50
"""Correlation over tasks of ln CPU seconds with ln bytes. [USER]: Spearman .31 over jobs."""
CPU_PER_FILES: Final = 0.45
"""Power of the share of a full job's files to which CPU seconds go within a task. [SET]"""
CPU_KNEE: Final = 10.6
"""ln CPU seconds above which the tail is thinner than log-normal. [CPU]: q95, q99."""

CORES: Final = ((1, 0.969), (8, 0.029), (16, 0.0011), (4, 0.0009))
"""Cores and their share of tasks. [CPU]"""

# --- input --------------------------------------------------------------------------------------

FILES_PER_JOB: Final = (
    (0.0, 1.0),
    (0.12, 1.0),
    (0.30, 3.2),
    (0.50, 7.0),
    (0.70, 12.0),
    (0.90, 26.0),
    (0.97, 45.0),
    (1.0, 200.0),
)
"""Quantiles over tasks of files per full job. [LIT]: mean 6.6 over jobs; mode 1. [USER]: of
the variance of ln bytes, task explains 63 %."""
PARTIAL_JOBS: Final = 0.92
"""Share of jobs that get fewer files than their task's full job. [SET]"""
NO_INPUT: Final = 0.004
"""Share of tasks whose jobs read no files (and no bytes). [SET]"""
FILE_BYTES_MC: Final = (
    (0.0, 60e6),
    (0.05, 307e6),
    (0.25, 514e6),
    (0.50, 744e6),
    (0.75, 912e6),
    (0.95, 1219e6),
    (1.0, 3000e6),
)
"""Quantiles over tasks of mean bytes per file, simulation. [FILES]; ends [SET]."""
FILE_BYTES_DATA: Final = ((0.0, 100e6), (0.10, 350e6), (0.50, 520e6), (0.90, 700e6), (1.0, 2000e6))
"""The same for data. [FILES]: 350 to 700 MB; ends [SET]."""
FILE_SD: Final = 0.18
"""Relative sd of file sizes inside a dataset. [SET]"""

# --- names of datasets --------------------------------------------------------------------------

PROJECTS: Final = (
    # name, share of tasks, change of its ln share over the period
    ("mc16_13TeV", 0.610, -0.25),
    ("data18_13TeV", 0.074, -0.10),
    ("data22_13p6TeV", 0.064, 0.60),
    ("mc20_13TeV", 0.062, 0.80),
    ("data17_13TeV", 0.051, -0.10),
    ("data16_13TeV", 0.050, -0.10),
    ("mc21_13p6TeV", 0.034, 0.60),
    ("data15_13TeV", 0.031, -0.10),
    ("mc15_13TeV", 0.0070, -0.50),
    ("mc23_13p6TeV", 0.0030, 2.00),
    ("data18_hi", 0.0025, 0.0),
    ("data17_5TeV", 0.0022, 0.0),
    ("data15_hi", 0.0020, 0.0),
    ("mc12_8TeV", 0.0018, -0.20),
    ("mc16_5TeV", 0.0015, 0.0),
    ("data12_8TeV", 0.0013, -0.20),
    ("user", 0.0015, 0.0),
    ("group", 0.0012, 0.0),
)
"""Projects. [TASKS] down to data15; the tail and the changes (generation turnover) [SET]."""
NEW_PROJECTS: Final = ("data22_13p6TeV", "mc20_13TeV", "mc21_13p6TeV", "mc23_13p6TeV")
"""Generations for which most analyses read the common formats PHYS and PHYSLITE."""

FAMILIES: Final = (
    # family, share of tasks, formats in the family, shift of ln CPU seconds [SET]
    ("PHYS", 0.240, 3, 0.15),
    ("HIGG", 0.170, 34, 0.20),
    ("TOPQ", 0.170, 6, 0.25),
    ("EXOT", 0.140, 30, 0.0),
    ("SUSY", 0.070, 26, -0.10),
    ("STDM", 0.060, 18, 0.05),
    ("JETM", 0.045, 16, -0.40),
    ("EGAM", 0.030, 14, -0.35),
    ("FTAG", 0.020, 8, -0.20),
    ("TRUTH", 0.015, 6, -1.20),
    ("MUON", 0.010, 8, -0.40),
    ("TAUP", 0.008, 8, -0.10),
    ("BPHY", 0.008, 20, 0.10),
    ("HION", 0.006, 10, 0.30),
    ("IDTR", 0.004, 6, -0.30),
    ("LLP", 0.002, 4, 0.30),
    ("TCAL", 0.001, 4, -0.60),
    ("SUSYEW", 0.001, 2, -0.10),
)
"""Families of DAOD formats, 223 formats in all. [TASKS] down to EXOT, [USER]-era lists below."""
FORMAT_ZIPF: Final = 1.15
"""Exponent of the Zipf distribution of formats within a family. [SET]"""
PHYS_IN_NEW: Final = 0.72
"""Share of the family PHYS in the new generations. [SET]; the old ones take the rest."""

PRODSTEPS: Final = ("deriv", "PhysCont", "merge", "recon", "unknown")
"""Production steps of DAOD input; `unknown` is what user and group datasets have."""
PRODSTEP_OF: Final = {"mc": (0.9975, 0.0, 0.0015, 0.001), "data": (0.975, 0.02, 0.004, 0.001)}
"""Their shares of tasks. [USER]-era lists: deriv 99 %, merge .04 %, period containers exist."""

# --- raw exports --------------------------------------------------------------------------------

KEPT_SHARE: Final = 0.8
"""Rows of a raw export that pass the funnel. arXiv 2410.07940: over 2 million to 1.65 million."""
DROPPED: Final = (
    # kind, share of the rows that do not pass [SET]
    ("production", 0.40),
    ("test", 0.10),
    ("other input", 0.30),
    ("incomplete", 0.10),
    ("no CPU time", 0.10),
)
"""Rows that the funnel drops, one kind a filter."""
OTHER_INPUT: Final = (
    ("recon", "AOD", 0.52),
    ("recon", "RDO", 0.26),
    ("evgen", "EVNT", 0.17),
    ("simul", "HITS", 0.05),
)
"""Input of user jobs that read no DAOD: prodstep, datatype, share. [TASKS]: AOD 3.3, RDO 1.6,
EVNT 1.1 % of all."""
