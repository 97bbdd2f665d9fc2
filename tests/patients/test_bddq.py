"""The scores of BDDQ-AS and COPS, as their source says [S112b]."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients.intake.bddq import bddq_positive, is_positive

GRADES = st.integers(1, 5)


@pytest.mark.parametrize(
    ("one", "two", "seven", "grade"),
    list(product((True, False), (True, False), (True, False), (1, 3))),
)
def test_both_first_items_and_one_of_the_others(one, two, seven, grade):
    answers = [one, two, grade, 1, 1, 1, seven]
    assert bddq_positive(answers) == (one and two and (seven or grade >= 3))


@given(st.tuples(GRADES, GRADES, GRADES, GRADES))
def test_any_of_the_four_graded_items(grades):
    assert bddq_positive([True, True, *grades, False]) == (max(grades) >= 3)


@pytest.mark.parametrize("answers", [[], [True] * 6, [True] * 8])
def test_seven_answers_or_none(answers):
    with pytest.raises(ValueError, match="seven"):
        bddq_positive(answers)


@pytest.mark.parametrize(
    ("said", "positive"),
    [
        ({}, None),
        ({"cops": 39}, False),
        ({"cops": 40}, True),
        ({"bddq": [False, False, 1, 1, 1, 1, False], "cops": 72}, True),
        ({"bddq": [True, True, 4, 1, 1, 1, False], "cops": 0}, True),
        ({"bddq": [True, True, 2, 1, 1, 1, False]}, False),
    ],
)
def test_either_questionnaire_is_enough(said, positive):
    assert is_positive(said) is positive
