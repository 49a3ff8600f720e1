"""Dataset names: the fields that come out, and the names of people that never do."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from panda_gym.records import parse_datasets
from panda_gym.records.datasets import parse_dataset
from panda_gym.schema import CATEGORIES

CASES = {
    "mc20_13TeV:mc20_13TeV.410470.PhPy8EG_A14_ttbar.deriv.DAOD_PHYS.e6337_s3681_r13167_p5855": (
        ("mc20_13TeV", "deriv", "DAOD_PHYS")
    ),
    "mc16_13TeV.345060.PowhegPythia8.deriv.DAOD_HIGG4D2.e6348_r9364_p4133/": (
        ("mc16_13TeV", "deriv", "DAOD_HIGG4D2")
    ),
    "data18_13TeV:data18_13TeV.00348885.physics_Main.deriv.DAOD_EXOT27.r13286_p4910_p5057": (
        ("data18_13TeV", "deriv", "DAOD_EXOT27")
    ),
    "data22_13p6TeV.periodAllYear.physics_Main.PhysCont.DAOD_PHYS.grp22_v01_p5267/": (
        ("data22_13p6TeV", "PhysCont", "DAOD_PHYS")
    ),
    "data17_13TeV.00340368.physics_Main.merge.AOD.f908_m2037": ("data17_13TeV", "merge", "AOD"),
    "mc15_13TeV.361106.short.with.dots.evgen.EVNT.e3601_tid04972714_00": (
        ("mc15_13TeV", "evgen", "EVNT")
    ),
    "mc16_13TeV.1.a.recon.AOD.r1,mc16_13TeV:mc16_13TeV.1.a.deriv.DAOD_TOPQ1.p2": (
        ("mc16_13TeV", "deriv", "DAOD_TOPQ1")
    ),
    "user.jdoe:user.jdoe.mc16.345060.DAOD_HIGG4D2.v3_jdoe/": ("user", "unknown", "DAOD_HIGG4D2"),
    "group.phys-higgs.jdoe.DAOD_JDOE.v1": ("group", "unknown", "unknown"),
    "user.jdoe.AOD_of_jdoe.v1": ("user", "unknown", "unknown"),
    "panda.um.user.jdoe.lib.123": ("other", "unknown", "unknown"),
    "mc16_13TeV.345060.jdoe_deriv.jdoe.DAOD_PHYS.p1": ("mc16_13TeV", "unknown", "DAOD_PHYS"),
    "mc16_13TeV": ("mc16_13TeV", "unknown", "unknown"),
    "jdoe": ("other", "unknown", "unknown"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_name_is_cut_into_its_fields(name):
    assert parse_dataset(name) == CASES[name]


def test_no_name_of_a_person_comes_out():
    fields = parse_datasets(list(CASES))
    levels = " ".join(str(level) for field in CATEGORIES for level in fields[field].cat.categories)
    assert "jdoe" not in levels.lower()


def test_the_parser_of_columns_agrees_with_the_parser_of_single_names():
    names = pd.Series([*CASES, None, "", " / ", *reversed(CASES)], index=range(7, 38))
    fields = parse_datasets(names)
    assert fields.index.equals(names.index)
    for name, row in zip(names, fields.astype(object).itertuples(index=False), strict=True):
        single = parse_dataset(name) if isinstance(name, str) else (None, None, None)
        assert tuple(None if pd.isna(value) else value for value in row) == single


def test_columns_of_nothing_give_missing_values():
    assert parse_datasets([]).shape == (0, 3)
    assert parse_datasets([None, None]).isna().all(axis=None)


WORD = st.from_regex(r"[A-Za-z][A-Za-z0-9_\-]{0,12}", fullmatch=True)


@settings(max_examples=50, deadline=None)
@given(
    project=st.sampled_from(["mc16_13TeV", "mc23_13p6TeV", "data15_hi", "data18_13TeV"]),
    number=st.integers(1, 999_999),
    short=st.lists(WORD, min_size=1, max_size=3),
    step=st.sampled_from(["deriv", "merge", "recon"]),
    datatype=st.sampled_from(["DAOD_PHYS", "DAOD_SUSY5D1", "AOD"]),
    container=st.booleans(),
    scoped=st.booleans(),
)
def test_names_that_are_put_together_come_apart_again(
    project, number, short, step, datatype, container, scoped
):
    name = f"{project}.{number}.{'.'.join(short)}.{step}.{datatype}.e1_p2" + "/" * container
    assert parse_dataset(f"{project}:{name}" if scoped else name) == (project, step, datatype)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=60))
def test_any_text_gives_three_fields_or_none(text):
    fields = parse_dataset(text)
    assert fields == (None, None, None) or all(fields)
