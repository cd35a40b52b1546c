"""What the benchmarks write; that they are fast is for `make bench` to say."""

import ast

import pytest
from conftest import ROOT

from benchmarks.__main__ import BENCHMARKS, RESULT, main
from benchmarks.measure import Comparison, load_peers
from benchmarks.report import Report

FOLDER = ROOT / "benchmarks"


def test_every_file_that_measures_is_run():
    trees = {path.stem: ast.parse(path.read_text(encoding="utf-8")) for path in FOLDER.glob("[!_]*.py")}
    measuring = [
        stem
        for stem, tree in trees.items()
        if any(isinstance(part, ast.FunctionDef) and part.name == "main" for part in tree.body)
    ]
    assert sorted(measuring) == sorted(BENCHMARKS)


def test_a_benchmark_that_is_not_there_is_refused():
    with pytest.raises(SystemExit, match="^benchmarks: there is no benchmark neurons; there are activations, "):
        main(["neurons"])


def test_a_goal_is_reached_or_missed():
    comparison = Comparison(ours=3e-6, theirs=40e-6, ratio=0.075, low=0.07, high=0.09)
    assert comparison.cells(0.075) == ["3.00 µs", "40.00 µs", "0.075", "0.07–0.09", "≤ 0.075 reached"]
    assert comparison.cells(0.05)[-1] == "≤ 0.05 MISSED"
    assert comparison.cells()[-1] == ""


def test_the_report_prints_what_it_writes(capsys):
    report = Report()
    report.add("Speeds", ["what", "goal"], [["tanh", "≤ 1 reached"], ["log", "≤ 0.5 MISSED"]])
    text, printed = report.text(), capsys.readouterr().out
    assert "\nGoals reached: 1; missed: 1.\n" in text
    assert "\n## Speeds\n\n| what | goal |\n| :-- | --: |\n| tanh | ≤ 1 reached |\n| log | ≤ 0.5 MISSED |\n" in text
    assert [line.split()[0] for line in printed.splitlines() if line] == ["Speeds", "what", "----", "tanh", "log"]


def test_a_peer_that_is_not_there_is_said(monkeypatch):
    report = Report()
    assert load_peers(["json", "no_such_peer"], report)["no_such_peer"] is None
    assert [what.split()[0] for what in report.left_out] == ["no_such_peer"]


def test_the_written_result_is_of_a_complete_run():
    text = RESULT.read_text(encoding="utf-8")
    for peer in (
        "scikit-learn",
        "torch",
        "JAX",
        "autograd",
        "scipy expit",
        "rel_entr",
        "numdifftools",
        "kernel, to PNG",
    ):
        assert peer in text
